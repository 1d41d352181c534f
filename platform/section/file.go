package section

// Rows reads a table, XLSX or CSV (UTF-8, or GB18030 as Chinese spreadsheets write it), as rows of cells: at least a
// header and one row more, of at most 20,000 rows and 100 columns.
func Rows(file []byte) ([][]string, error) { return readTable(file) }

// Upload gives the file of a request: its body, or the first file of a form. contentType is the request's.
func Upload(contentType string, body []byte) ([]byte, error) { return upload(contentType, body) }

// MaxUpload is the most bytes of a request with a table.
const MaxUpload = maxTable + maxLine

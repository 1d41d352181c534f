package web

import (
	"regexp"
	"strings"
)

// flawRules read huma's sentences (package validation of huma v2) back into codes. A sentence no rule knows is
// shown as the reason of web.input.invalid, so a new huma cannot hide a flaw.
var flawRules = []struct {
	pattern *regexp.Regexp
	code    string
	param   string // name of the first group; "field" appends it to the location instead
}{
	{regexp.MustCompile(`^expected required property (.+) to be present$`), "web.input.required", "field"},
	{regexp.MustCompile(`^expected property (.+) to be present when .+ is present$`), "web.input.required", "field"},
	{regexp.MustCompile(`^required \w+ parameter is missing$`), "web.input.required", ""},
	{regexp.MustCompile(`^unexpected property$|^unknown query parameter$`), "web.input.unknown", ""},
	{regexp.MustCompile(`^expected value to be one of "(.*)"$`), "web.input.not_allowed", "allowed"},
	{regexp.MustCompile(`^expected length >= (\d+)$`), "web.input.too_short", "min"},
	{regexp.MustCompile(`^expected length <= (\d+)$`), "web.input.too_long", "max"},
	{regexp.MustCompile(`^expected number >=? (.+)$`), "web.input.too_small", "min"},
	{regexp.MustCompile(`^expected number <=? (.+)$`), "web.input.too_big", "max"},
	{regexp.MustCompile(`^expected array length >= (\d+)$`), "web.input.too_few", "min"},
	{regexp.MustCompile(`^expected array length <= (\d+)$`), "web.input.too_many", "max"},
	{regexp.MustCompile(`^expected array items to be unique$`), "web.input.twice", ""},
	{regexp.MustCompile(`^expected string to (?:be|match pattern) (.+)$`), "web.input.format", "format"},
	{regexp.MustCompile(`^expected (boolean|number|integer|string|array|object)$`), "web.input.type", "type"},
	{regexp.MustCompile(`^invalid (integer|float|boolean|floating value)`), "web.input.type", "type"},
	{regexp.MustCompile(`^invalid date/time`), "web.input.format", ""},
	{regexp.MustCompile(`^unknown content type`), "web.body.type", ""},
	{regexp.MustCompile(`^invalid character|^unexpected end of JSON|^unexpected EOF|^json: `), "web.input.unreadable", ""},
}

// readFlaw gives the code, the field as a JSON path and the parameters for one of huma's findings.
func readFlaw(location, message string) (code, field string, params map[string]any) {
	field = location
	for _, prefix := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(location, prefix); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			field = strings.TrimPrefix(rest, ".")
			break
		}
	}
	for _, rule := range flawRules {
		m := rule.pattern.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		switch {
		case rule.param == "field" && field != "":
			field += "." + m[1]
		case rule.param == "field":
			field = m[1]
		case rule.param != "" && len(m) > 1:
			params = map[string]any{rule.param: m[1]}
		}
		if field != "" {
			params = with(params, "field", field)
		}
		return rule.code, field, params
	}
	return "web.input.invalid", field, with(with(nil, "reason", message), "field", field)
}

func with(m map[string]any, k string, v any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[k] = v
	return m
}

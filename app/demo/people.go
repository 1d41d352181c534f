package demo

import (
	"fmt"
	"math/rand/v2"

	"github.com/kapok-hotline/kapok/core/taxid"
)

// Person is an invented caller.
type Person struct {
	Number   string // as dialled: 13800001234, 02083331234
	TaxID    string // unified social credit code, "" when the agent never asks for one
	Firm     string
	District string // code of a site
	Tax      string // the tax type they ask about most
}

// National is the number as facts carry it: mobiles with a leading 0.
func (p Person) National() string {
	if p.Number[0] == '0' {
		return p.Number
	}
	return "0" + p.Number
}

// PeopleCount is as many as call in five months; the first tenth, book-keepers of many firms, call most.
const PeopleCount = 5200

var ( // never written to
	segments  = []string{"130", "133", "135", "136", "137", "138", "139", "150", "158", "159", "177", "186", "188", "189"}
	firmHeads = []string{"恒", "瑞", "嘉", "信", "宏", "粤", "穗", "盛", "南", "锦", "汇", "荣", "新", "百", "广", "德"}
	firmTails = []string{"达", "丰", "源", "通", "联", "兴", "泰", "和", "海", "诚", "美", "科", "安", "润", "业", "康"}
	firmKinds = []string{"商贸有限公司", "科技有限公司", "餐饮管理有限公司", "建筑工程有限公司", "物流有限公司", "财税代理有限公司", "服装厂", "电子商务有限公司"}
)

// areas are the administrative districts that credit codes are issued in, by site code. Never written to.
var areas = map[string]string{
	"gz-lw": "440103", "gz-yx": "440104", "gz-hz": "440105", "gz-th": "440106", "gz-by": "440111", "gz-hp": "440112",
	"gz-py": "440113", "gz-hd": "440114", "gz-ns": "440115", "gz-ch": "440117", "gz-zc": "440118",
}

// People invents n callers of the districts; the same seed gives the same people.
func People(seed uint64, n int, districts []string) []Person {
	r := rand.New(rand.NewPCG(seed, 0x70656f706c65))
	out := make([]Person, n)
	for i := range out {
		p := &out[i]
		p.Number = fmt.Sprintf("%s%08d", segments[r.IntN(len(segments))], (i*7919+r.IntN(7919))%100_000_000)
		if r.Float64() < 0.14 {
			p.Number = fmt.Sprintf("0208%07d", (i*1009+r.IntN(1009))%10_000_000)
		}
		p.District = "gz-th"
		if len(districts) > 0 {
			p.District = districts[min(r.IntN(len(districts)), r.IntN(len(districts)+2))] // some are busier
		}
		p.Firm = firmHeads[r.IntN(len(firmHeads))] + firmTails[r.IntN(len(firmTails))] + firmKinds[r.IntN(len(firmKinds))]
		if r.Float64() < 0.7 {
			p.TaxID = creditCode(r, areas[p.District])
		}
	}
	return out
}

// creditCode makes a unified social credit code of the district with a right check character.
func creditCode(r *rand.Rand, area string) string {
	if area == "" {
		area = "440106"
	}
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	body := []byte("91" + area + "MA")
	for len(body) < 17 {
		body = append(body, alphabet[r.IntN(len(alphabet))])
	}
	c, _ := taxid.CheckUSCC(string(body)) // every character is of the alphabet
	return string(append(body, c))
}

package screen

import "strings"

// clause is a part of a text between marks; waved says that it tells what the call is not about.
type clause struct {
	text  string
	waved bool
}

// clauses divides a text. A text as a recogniser gives it may have no marks: then it is one clause.
func clauses(text string) []clause {
	var out []clause
	for _, part := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune("，。；！？,;!?\n、 ", r) }) {
		out = append(out, clause{text: part, waved: wavesOff(part)})
	}
	return out
}

// wavesOff reports whether the speaker puts something aside: "not the system's fault", "the law I know", "no error
// shown". What is still asked ("is it not…") waves nothing off.
func wavesOff(s string) bool {
	for _, asked := range []string{"是不是", "不是必须", "能不能", "会不会", "怎么", "为什么", "吗"} {
		if strings.Contains(s, asked) {
			return false
		}
	}
	for _, mark := range []string{
		"不是", "唔系", "没有报错", "没报错", "没有提示", "没有问题", "没问题", "没有异常", "正常", "能打开", "打得开", "里没有说", "没有说明", "不用查",
	} {
		if strings.Contains(s, mark) {
			return true
		}
	}
	for _, end := range []string{
		"知道", "知道的", "清楚", "清楚的", "我懂", "懂的", "我会", "会的", "会填", "会弄", "会做", "看了", "看过", "看过了", "了解", "明白", "来的",
	} {
		if strings.HasSuffix(s, end) && !strings.Contains(s, "不知道") && !strings.Contains(s, "不会") && !strings.Contains(s, "想") {
			return true
		}
	}
	return false
}

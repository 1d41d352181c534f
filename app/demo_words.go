package app

import (
	"fmt"
)

// demoWords are what the demo says on the terminal.
type demoWords struct {
	loading   string // percent, seconds left
	loaded    string // contacts, seconds
	brokenOff string
	ready     string
	pages     string
	secure    string
	logins    string
	people    [4]string
	tryTitle  string
	try       [3]string
	stop      string
}

func wordsFor(language string) demoWords {
	if language == "zh" {
		return demoWords{
			loading: "正在载入历史数据 … %d %%,还需 %d 秒", loaded: "已载入 %d 次来电的历史数据,用时 %.0f 秒",
			brokenOff: "载入被中断;再次运行 kapok demo 即可接着载入,加 --fresh 则从头开始",
			ready:     "木棉演示已就绪", pages: "页面", secure: "加密页面", logins: "一键登录(在登录页上点选,无需密码)",
			people:   [4]string{"leader1     班长:监控墙、监听、催办", "manager     热线负责人:报表与趋势", "admin       管理员:全部配置", "1001…1004   坐席员:空着的座位,留给您"},
			tryTitle: "试一试",
			try: [3]string{
				"以 leader1 登录,看监控墙:来电、排队和接通率随时在变",
				"以 manager 登录,打开报表,选最近 150 天:接通率从 80 % 跌到 31 %,又升到 91.4 %",
				"以 1001 登录,选浏览器终端,置闲:下一个来电就会转给您",
			},
			stop: "按 Ctrl-C 结束;数据保留在",
		}
	}
	return demoWords{
		loading: "loading history … %d %%, %d s left", loaded: "history of %d contacts loaded in %.0f s",
		brokenOff: "the loading was broken off; run kapok demo again to go on with it, or with --fresh to begin anew",
		ready:     "The Kapok demo is ready", pages: "pages", secure: "secure", logins: "one-click logins (choose on the sign-in page, no password)",
		people:   [4]string{"leader1     team leader: wallboard, listening, help", "manager     head of the hotline: reports and trends", "admin       administrator: all settings", "1001…1004   agents: empty seats, kept for you"},
		tryTitle: "try this",
		try: [3]string{
			"sign in as leader1 and watch the wallboard: calls, queues and the answer rate move all the time",
			"sign in as manager, open the reports for the last 150 days: 80 % answered, down to 31 %, up to 91.4 %",
			"sign in as 1001, choose the browser as your phone, be ready: one of the next calls is yours",
		},
		stop: "Ctrl-C ends it; the data stay in",
	}
}

// welcome says where the demo is to be found and what there is to see.
func (h *House) welcome(c *call) {
	w := wordsFor(language())
	plain, secure := h.web.Addrs()
	fmt.Fprintf(c.out, "\n%s\n\n", w.ready)
	if plain != "" {
		fmt.Fprintf(c.out, "  %s  http://%s\n", w.pages, reachable(plain))
	}
	if secure != "" {
		fmt.Fprintf(c.out, "  %s  https://%s\n", w.secure, visible(secure, h.o.Advertise))
	}
	fmt.Fprintf(c.out, "\n  %s\n", w.logins)
	for _, p := range w.people {
		fmt.Fprintf(c.out, "    %s\n", p)
	}
	fmt.Fprintf(c.out, "\n  %s\n", w.tryTitle)
	for i, s := range w.try {
		fmt.Fprintf(c.out, "    %d  %s\n", i+1, s)
	}
	fmt.Fprintf(c.out, "\n  %s %s\n\n", w.stop, h.o.Data)
}

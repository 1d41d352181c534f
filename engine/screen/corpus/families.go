package corpus

import "github.com/kapok-hotline/kapok/engine/screen"

// Family is a rule family: sentences for one thing callers are after. {slot} is filled from Slots.
type Family struct {
	Name      string
	Kind      screen.Kind
	HeldOut   bool
	Sentences []string
}

// Families gives the rule families; within a kind every second one is held out.
func Families() []Family {
	var out []Family
	for _, of := range []struct {
		kind screen.Kind
		all  []Family
	}{{screen.Fault, faults()}, {screen.Operation, operations()}, {screen.Policy, policies()}} {
		for i, f := range of.all {
			f.Kind, f.HeldOut = of.kind, i%2 == 1
			out = append(out, f)
		}
	}
	return out
}

func faults() []Family {
	return []Family{
		{Name: "fault-error-message", Sentences: []string{
			"{module}一点提交就报错，提示{error}",
			"做{form}的时候弹出来一个{error}，点确定还是一样",
			"{module}页面显示{error}，换了电脑也不行",
			"我报{tax}，系统提示{error}，试了{times}都是这样",
			"一进{module}就提示{error}，是不是系统有问题",
		}},
		{Name: "fault-blank-page", Sentences: []string{
			"{module}打开是空白的，什么都没有",
			"电子税务局点进{module}一直白屏",
			"打开{form}页面加载不出来，清了缓存也没用",
			"{module}里的按钮点了没反应，{times}了",
			"换了三个浏览器，{form}的页面还是出不来",
		}},
		{Name: "fault-login-code", Sentences: []string{
			"登录电子税务局收不到短信验证码",
			"扫脸登录一直失败，打不开",
			"登录的时候一直转圈，登不上去",
			"验证码输对了还是提示{error}，登录不了",
			"{role}的账号今天突然登录不上了，昨天还好好的",
		}},
		{Name: "fault-slow", Sentences: []string{
			"今天电子税务局卡得不得了，点一下等半天",
			"{module}转圈转了半个小时了，动都动不了",
			"网页老是掉线，填到一半就断开",
			"系统是不是崩溃了，{module}一直连不上",
			"{form}提交之后一直卡在正在处理",
		}},
		{Name: "fault-payment-stuck", Sentences: []string{
			"{tax}钱已经扣了，系统还显示未缴款",
			"三方协议扣款失败，账户里明明有钱，提示{error}",
			"扣款扣了两次，页面显示异常",
			"缴款之后状态一直不更新，还是显示欠税",
			"缴税点了支付就跳回首页，付不出去",
		}},
		{Name: "fault-wrong-data", Sentences: []string{
			"{form}带出来的数据不对，跟我们账上的差很多",
			"{module}里面上个月的数据不见了",
			"系统自动算出来的{tax}金额是错的，算错了",
			"我明明报过了，{module}显示没有申报，数据丢了",
			"{form}里面的数字变成乱码了",
		}},
		{Name: "fault-invoice-issue", Sentences: []string{
			"开票开不出来，点开具提示{error}",
			"{invoice}开具失败，一直显示开具中",
			"开票额度明明还有，系统不给开，老是提示{error}",
			"{invoice}的文件下载不下来，点了没反应",
			"红字发票上传失败，试了{times}",
		}},
		{Name: "fault-client-program", Sentences: []string{
			"自然人扣缴客户端闪退，一打开就没了",
			"客户端升级以后打不开，安装也装不上",
			"税控盘插上去识别不到，读不出来",
			"手机{app}一点{module}就闪退",
			"控件装了还是提示没有安装，用不了",
		}},
	}
}

func operations() []Family {
	return []Family{
		{Name: "operation-where", Sentences: []string{
			"请问{form}在电子税务局哪里找",
			"{module}的入口在哪里，我找不到菜单",
			"想申报{tax}，要点哪个菜单进去",
			"在哪个页面可以看到{form}",
			"我想查{invoice}，是从哪个模块进去",
		}},
		{Name: "operation-fill", Sentences: []string{
			"{form}怎么填，第{n}行填什么",
			"填{form}的时候，{column}这一栏要填哪个数",
			"{tax}零申报怎么操作，表要不要填",
			"{column}那里是选哪一个选项",
			"我第一次填{form}，不知道从哪一步开始填",
		}},
		{Name: "operation-correct", Sentences: []string{
			"{form}申报错了怎么更正",
			"上个月的{tax}报错了，怎么作废重新报",
			"刚刚填错了{column}，还能撤回来改吗，怎么改",
			"提交了的{form}想修改，要怎么操作",
			"{invoice}开错了怎么冲红，步骤是什么",
		}},
		{Name: "operation-print", Sentences: []string{
			"完税证明怎么打印出来",
			"想下载{form}，在网上怎么导出来",
			"怎么把{invoice}导出成表格",
			"申报完了怎么打印{form}，要盖章的那种",
			"纳税清单在网上怎么开，麻烦教一下我",
		}},
		{Name: "operation-people", Sentences: []string{
			"怎么在电子税务局添加一个{role}",
			"换了{role}，网上怎么变更",
			"新来的会计要绑定公司，怎么操作",
			"{role}离职了，怎么把他的权限解除",
			"我是{role}，怎么切换到企业身份",
		}},
		{Name: "operation-bind-bank", Sentences: []string{
			"三方协议怎么签，网上能办吗",
			"换了银行账户，在系统里怎么备案",
			"想改扣款的银行卡，请教一下流程",
			"存款账户报告要怎么做，传什么附件",
			"怎么用云闪付交{tax}，一步一步教我一下",
		}},
		{Name: "operation-invoice", Sentences: []string{
			"怎么开{invoice}，第一次用不会开",
			"{invoice}怎么勾选抵扣，在哪里勾",
			"想增加开票额度，网上怎么申请",
			"怎么添加开票的商品编码",
			"客户要{invoice}，请问怎么发给他",
		}},
		{Name: "operation-app", Sentences: []string{
			"手机{app}怎么注册，点哪里",
			"密码忘了怎么重置",
			"{app}里怎么填专项附加扣除，教教我",
			"人脸识别认证要怎么弄，我不会操作",
			"怎么用{app}帮我妈做年度汇算",
		}},
	}
}

func policies() []Family {
	return []Family{
		{Name: "policy-rate", Sentences: []string{
			"{trade}的{tax}税率是多少",
			"小规模纳税人现在{tax}按几个点交",
			"请问{trade}适用百分之几的征收率",
			"{income}要按多少交{tax}",
			"一般纳税人{trade}是几个点的税",
		}},
		{Name: "policy-deadline", Sentences: []string{
			"{tax}申报期限是到几号",
			"这个月征期延期到哪一天",
			"逾期没报{tax}会不会罚款，滞纳金怎么算",
			"汇算清缴最晚什么时候截止",
			"个体户的{tax}是按月还是按季报",
		}},
		{Name: "policy-relief", Sentences: []string{
			"小微企业{tax}有什么优惠政策",
			"{trade}能不能享受减免",
			"招了退伍军人可以免多少{tax}",
			"高新企业符合什么条件可以享受优惠税率",
			"六税两费减半还有没有，到哪年为止",
		}},
		{Name: "policy-duty", Sentences: []string{
			"{income}需不需要交{tax}",
			"把房子租给公司，要交哪些税",
			"公司没有收入还要不要报{tax}",
			"{trade}属不属于{tax}的征税范围",
			"股权转让没赚钱，是不是不用交{tax}",
		}},
		{Name: "policy-deduct", Sentences: []string{
			"{expense}能不能税前扣除",
			"{expense}的进项可不可以抵扣，有什么规定",
			"{expense}扣除的限额是多少比例",
			"没有发票的支出可以税前列支吗",
			"研发费用加计扣除的比例规定是多少",
		}},
		{Name: "policy-family", Sentences: []string{
			"房贷利息专项附加扣除夫妻双方怎么分，有规定吗",
			"孩子三岁以下每个月可以扣多少",
			"赡养老人兄弟姐妹几个人，标准是多少",
			"年终奖单独计税的政策还有吗",
			"{income}并不并入综合所得，文件怎么规定的",
		}},
		{Name: "policy-law", Sentences: []string{
			"最新的{tax}公告是哪一个文号，从哪天起执行",
			"{trade}的规定依据的是哪个文件",
			"新的{tax}法实施以后，{income}怎么界定",
			"发票管理办法对{invoice}有什么要求",
			"公告里说的{trade}包括哪些",
		}},
		{Name: "policy-status", Sentences: []string{
			"年销售额超过五百万是不是必须转一般纳税人",
			"什么条件才算小型微利企业",
			"{income}多少以下免征{tax}",
			"{trade}起征点是多少",
			"注销公司，{tax}要清算哪些，法规是怎么要求的",
		}},
	}
}

package main

// rows are the goals, in the order of the table.
func rows() []row {
	return []row{
		{
			Name: "call", Measure: "CPU per call: inbound → answer → queue → agent rings → bridge → hang-up, 33 SIP agents, 40 calls/s, one core",
			Goal: "≤ 1.5 ms", Compare: "Asterisk 22 app_queue 7.5 ms (5.3–9.1), FreeSWITCH mod_callcenter 26 ms", measure: measureCall,
		},
	}
}

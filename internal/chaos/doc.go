// Package chaos proves by force that a load makes every record exactly once.
//
// Its test serves a practice account that loses answers, cuts connections,
// shows pages of proxies, hangs, throttles, goes away and shows new records
// late, loads files into it with the real program as a process of its own, kills that
// process at random moments and starts it again with the same command. In the
// end the account and the results file are held against the file.
//
//	go test ./internal/chaos                      short: a few seconds
//	go test ./internal/chaos -run TestChaos -chaos.seeds 20 -chaos.rows 2000 -parallel 4 -timeout 60m -v
//
// The second form is the long one; its last lines are the totals. TestChaosUndo takes
// a load back while it is killed, and TestChaosAdopt loses the ledger. TestChaosAttacks
// and TestChaosDropFolder let more go wrong than calls: other systems, proxies, caches,
// lying look-ups, clocks, the ledger, the files. -chaos.keep FOLDER keeps what explains a
// fault: all calls, all records, and what was done when.
package chaos

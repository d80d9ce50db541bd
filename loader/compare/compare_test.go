package compare

import (
	"testing"

	"leadload/loader/ledger"
)

func TestJudge(t *testing.T) {
	was, other := Print("Open"), Print("open ")
	if was != other {
		t.Fatal("spellings of one value have different prints")
	}
	for _, c := range []struct {
		name string
		v    Values
		want Finding
	}{
		{"nothing changed", Values{Sent: was, Account: "Open", File: "Open"}, Same},
		{"other spellings of it", Values{Sent: Print("1234.5"), Account: "1,234.50", File: "1234.50"}, Same},
		{"the file changed", Values{Sent: was, Account: "Open", File: "Won"}, Send},
		{"the account changed", Values{Sent: was, Account: "Lost", File: "Open"}, AccountOnly},
		{"both changed apart", Values{Sent: was, Account: "Lost", File: "Won"}, Conflict},
		{"both changed alike", Values{Sent: was, Account: "won", File: "Won"}, Equal},
		{"somebody emptied it, the file changed", Values{Sent: was, File: "Won"}, Conflict},
		{"the file emptied it", Values{Sent: was, Account: "Open"}, Send},
		{"the account's own rewriting, proven", Values{Sent: was, Account: "OPEN (1)", File: "Won", Touched: Untouched}, Send},
		{"the same, nothing to send", Values{Sent: was, Account: "OPEN (1)", File: "Open", Touched: Untouched}, Same},
		{"the account's own rewriting, known from before", Values{Sent: was, Second: Print("OPEN (1)"), Account: "OPEN (1)", File: "Won"}, Send},
		{"it was rewritten, and changed by somebody", Values{Sent: was, Second: Print("OPEN (1)"), Account: "Lost", File: "Won"}, Conflict},
		{"never sent, the account has nothing", Values{File: "Won"}, Send},
		{"never sent, the account has the same", Values{Account: "Won", File: "Won"}, Equal},
		{"never sent, the account has something else", Values{Account: "Lost", File: "Won"}, Conflict},
		{"never sent, the account made a default of its own", Values{Account: "Lost", File: "Won", Touched: Untouched}, Conflict},
		{"sent by an older version", Values{Sent: ledger.Print("Open"), Account: "Open", File: "Won"}, Send},
		{"a number sent by an older version", Values{Sent: ledger.Print("1200.5"), Account: "1,200.50", File: "1300"}, Send},
		{"sent by an older version, and changed by somebody", Values{Sent: ledger.Print("Open"), Account: "Lost", File: "Won"}, Conflict},
		{"dates in two shapes", Values{Sent: Print("2026-01-31 10:30:00"), Account: "1/31/2026 10:30:00 AM", File: "2026-02-01 10:30:00"}, Send},
		{"a phone as it is stored", Values{Sent: Print("+91-9876543210"), Account: "919876543210", File: "+91-9876543211"}, Send},
		{"a leading zero is no number", Values{Sent: Print("007"), Account: "7", File: "008"}, Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Judge(c.v); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

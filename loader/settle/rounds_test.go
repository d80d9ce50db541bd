package settle

import (
	"testing"
	"testing/synctest"
	"time"

	"leadload/loader/ledger"
)

// A row whose call lies in the future, because somebody has set the clock back, is
// looked for as if the call were made now.
func TestNoWaitForAMomentInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Settler{Timeout: 3 * time.Second, SettleAfter: time.Minute}
		now := time.Now()
		for _, c := range []struct {
			name        string
			sent, ended time.Duration
			want        time.Duration
		}{
			{"ended just now", -time.Second, 0, time.Minute},
			{"ended long ago", -time.Hour, -time.Hour, time.Minute - time.Hour},
			{"sent and ended in two days", 48 * time.Hour, 48 * time.Hour, time.Minute + 3*time.Second},
			{"sent in ten years, its end is not known", 87600 * time.Hour, -1 << 62, time.Minute + 3*time.Second},
		} {
			rec := ledger.Operation{Sent: now.Add(c.sent), Ended: now.Add(c.ended)}
			if c.ended == -1<<62 {
				rec.Ended = time.Time{}
			}
			if got := s.dueOf(rec).Sub(now); got != c.want {
				t.Errorf("%s: looked for in %v, want %v", c.name, got, c.want)
			}
		}
	})
}

package send

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/pace"
)

// stuck makes calls of many rows that never end.
type stuck struct{}

func (stuck) Kind(*Row) Kind  { return Updates }
func (stuck) Most(Kind) int   { return leadsquared.MaxBulk }
func (stuck) Begin(Kind) bool { return true }
func (stuck) Send(ctx context.Context, c *pace.Call, _ Kind, _ []*Row, _ func(*Row, ledger.Outcome)) ([]*Row, error) {
	<-ctx.Done()
	c.Abort()
	return nil, context.Cause(ctx)
}

// TestRowsWaitInTheFile sends a file without end where no call comes back: only as many
// rows are taken from it as the calls under way and the next ones carry.
func TestRowsWaitInTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const atOnce, concurrency = 4, 3
		limit := pace.Limit{Calls: 100, Window: time.Second}
		s := &Sender{
			Line: line.New(line.Options{Pacer: pace.New(pace.Options{Limit: limit}), Many: pace.New(pace.Options{Limit: limit}), OutageLimit: time.Minute, Notify: func(string) {}}),
			Many: stuck{}, ManyAtOnce: atOnce, Concurrency: concurrency,
			Update: func(ctx context.Context, _ int64, _ *ledger.Payload) (ledger.Outcome, error) {
				<-ctx.Done()
				return ledger.Outcome{}, context.Cause(ctx)
			},
		}
		over := errors.New("over")
		ctx, cancel := context.WithCancelCause(t.Context())
		var taken atomic.Int64
		done := make(chan error)
		go func() {
			done <- s.Send(ctx, func(yield func(*Row, error) bool) {
				for i := int64(0); yield(&Row{Record: i, Op: ledger.Update, Payload: ledger.Payload{Lead: fmt.Sprint("lead ", i)}}, nil); i++ {
					taken.Store(i + 1)
				}
			})
		}()
		time.Sleep(time.Minute)
		most := int64(concurrency + 2*leadsquared.MaxBulk*atOnce)
		if n := taken.Load(); n < most-leadsquared.MaxBulk || n > most+1 {
			t.Errorf("%d rows were taken from the file, want about %d", n, most)
		}
		cancel(over)
		if err := <-done; !errors.Is(err, over) {
			t.Error(err)
		}
	})
}

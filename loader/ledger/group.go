package ledger

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// MaxBatch bounds the writes of one transaction.
const MaxBatch = 1024

// While outcomes stream in, a Group gathers them, so that one transaction and
// one fsync serve many. It goes on as soon as none has come for lingerGap,
// somebody waits for the disk, or the first one is lingerMost old. Where few
// come at a time (lingerFrom or less, as with a limit) nothing is gained and
// it does not linger.
const (
	lingerFrom = 8
	lingerGap  = 2 * time.Millisecond
	lingerMost = 50 * time.Millisecond
)

// Write is one thing to be written: W says what, in the store's own terms.
type Write[W any] struct {
	What W
	Done func(error) // called after the commit, never nil
	// Urgent: somebody waits for it.
	Urgent bool
	// Jotted: a power cut may take it, until the next write without this mark.
	Jotted bool
}

// Group is the one goroutine that writes a ledger. It takes whatever is
// queued, up to MaxBatch writes, and commits them together, so that one fsync
// serves all calls that wait.
type Group[W any] struct {
	commit func(batch []Write[W], durable bool) error
	writes chan Write[W]
	wg     sync.WaitGroup
	// broken holds the first failure to commit. From then on nothing is
	// written any more: a ledger that may have missed something must not go on.
	broken  atomic.Pointer[error]
	commits atomic.Int64

	mu     sync.Mutex
	closed bool
}

// ErrClosed says that the ledger is closed.
var ErrClosed = errors.New("the ledger is closed")

// NewGroup starts a group. commit writes a batch in one transaction, all of it
// or nothing; durable says that it must be on disk when commit returns.
func NewGroup[W any](commit func(batch []Write[W], durable bool) error) *Group[W] {
	g := &Group[W]{commit: commit, writes: make(chan Write[W], MaxBatch)}
	g.wg.Add(1)
	go g.loop()
	return g
}

func (g *Group[W]) loop() {
	defer g.wg.Done()
	batch := make([]Write[W], 0, MaxBatch)
	gap := time.NewTimer(lingerGap)
	defer gap.Stop()
	for first := range g.writes {
		batch = g.gather(append(batch[:0], first), len(batch) > lingerFrom, gap)
		err := g.write(batch)
		for _, w := range batch {
			w.Done(err)
		}
	}
}

// write commits a batch, unless an earlier one failed.
func (g *Group[W]) write(batch []Write[W]) error {
	if p := g.broken.Load(); p != nil {
		return *p
	}
	durable := false
	for _, w := range batch {
		durable = durable || !w.Jotted
	}
	if err := g.commit(batch, durable); err != nil {
		g.broken.CompareAndSwap(nil, &err)
		return err
	}
	g.commits.Add(1)
	return nil
}

// gather takes what is queued, up to MaxBatch writes, and with linger what
// follows soon.
func (g *Group[W]) gather(batch []Write[W], linger bool, gap *time.Timer) []Write[W] {
	urgent := batch[0].Urgent
	until := time.Now().Add(lingerMost)
	for len(batch) < MaxBatch {
		select {
		case w, ok := <-g.writes:
			if !ok {
				return batch
			}
			batch, urgent = append(batch, w), urgent || w.Urgent
			continue
		default:
		}
		left := time.Until(until)
		if urgent || !linger || left <= 0 {
			return batch
		}
		gap.Reset(min(lingerGap, left))
		select {
		case w, ok := <-g.writes:
			if !ok {
				return batch
			}
			batch, urgent = append(batch, w), urgent || w.Urgent
		case <-gap.C:
			return batch
		}
	}
	return batch
}

// Queue hands a write over. Done is called once, after the commit, on the
// group's goroutine.
func (g *Group[W]) Queue(w Write[W]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		w.Done(ErrClosed)
		return
	}
	g.writes <- w
}

// Await hands a write over and waits for its commit. It does not stop waiting
// when a context ends: what may be on disk must be known.
func (g *Group[W]) Await(what W, jotted bool) error {
	ch := make(chan error, 1)
	g.Queue(Write[W]{What: what, Done: func(err error) { ch <- err }, Urgent: true, Jotted: jotted})
	return <-ch
}

// Broken returns the failure after which nothing more is written, or nil.
func (g *Group[W]) Broken() error {
	if p := g.broken.Load(); p != nil {
		return *p
	}
	return nil
}

// Commits returns the number of commits so far, and Waiting that of the
// writes in the queue; tests count them.
func (g *Group[W]) Commits() int64 { return g.commits.Load() }

// Waiting returns the number of writes in the queue.
func (g *Group[W]) Waiting() int { return len(g.writes) }

// Close writes what is queued and ends the goroutine.
func (g *Group[W]) Close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.writes)
	}
	g.mu.Unlock()
	g.wg.Wait()
}

package send

import (
	"context"
	"sync"
	"time"
)

// fillFor is how long a call of many rows waits for more of them. Rows come much
// faster, unless those of a few leads wait for one another.
const fillFor = 250 * time.Millisecond

// stall is how long calls of many rows may take before rows that could go in the next
// one go singly.
const stall = time.Second

// pool is where rows wait for a call: for one of their own, or for one that takes
// many. It is safe for concurrent use.
type pool struct {
	mu               sync.Mutex
	singles, senders sync.Cond     // who waits for a row, and for rows that go together
	alone            []*Row        // that go singly
	many             [kinds][]*Row // that may go with others
	// idle is how many senders of many rows wait for rows, filling how many have the place
	// of a call and wait for more: rows are left to them. Of those, claims have no place
	// yet, but the limit had room for one.
	idle, filling, claims int
	most                  func(Kind) int  // rows that the next call of a kind takes
	room                  func() int      // for how many more calls of many rows the limit has room
	moved                 time.Time       // when a sender of many rows took rows last, or came back
	stalled               *time.Timer     // wakes who waits for rows when none has moved for long
	seeking               int             // rows whose leads are looked up before they can go with others
	out                   int             // rows that were handed out and whose leads are not free again
	open                  context.Context // until the pool is closed
	shut                  context.CancelFunc
	still                 bool // the source brings nothing for now: it is read to its end, or waits
	queued                bool // rows wait for others of their leads
	closed                bool
}

// newPool returns a pool that is closed when ctx ends, for so many senders of many
// rows. most says how many rows the next call of a kind takes, room for how many more
// calls the limit has room.
func newPool(ctx context.Context, senders int, most func(Kind) int, room func() int) (p *pool, stop func() bool) {
	p = &pool{idle: senders, most: most, room: room}
	p.open, p.shut = context.WithCancel(ctx)
	p.singles.L, p.senders.L = &p.mu, &p.mu
	return p, context.AfterFunc(ctx, p.close)
}

// wake lets all that wait look again.
func (p *pool) wake() {
	p.singles.Broadcast()
	p.senders.Broadcast()
}

// put adds a row. A row for a call of many belongs to a lead that has no other here.
func (p *pool) put(k Kind, j *Row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(k, j)
}

// putBack is put for a row that was handed out.
func (p *pool) putBack(k Kind, j *Row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out--
	p.add(k, j)
}

// freed says that a row which was handed out has ended.
func (p *pool) freed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out--; p.out == 0 {
		p.wake()
	}
}

func (p *pool) add(k Kind, j *Row) {
	if k == Singly {
		p.alone = append(p.alone, j)
		if j.seek {
			p.seeking++
		}
		p.singles.Signal()
		return
	}
	p.many[k] = append(p.many[k], j)
	if p.spare(k) {
		p.singles.Signal()
	}
	// Rows between the second, which is worth a call, and the last that it takes
	// change nothing for those that wait.
	if n, takes := len(p.many[k]), p.most(k); n == 2 || n >= takes {
		p.senders.Broadcast()
	}
}

// sought says that a row's lead was looked up, or could not be.
func (p *pool) sought() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seeking--
	p.wake()
}

// stand says whether the source brings nothing for now, and whether rows wait for
// others of their leads.
func (p *pool) stand(still, queued bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.still != still || p.queued != queued {
		p.still, p.queued = still, queued
		p.wake()
	}
}

// close ends all waiting: no further row is handed out.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.shut()
	if p.stalled != nil {
		p.stalled.Stop()
	}
	p.wake()
}

// left returns the rows that nobody has taken.
func (p *pool) left() []*Row {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := p.alone
	for _, more := range p.many {
		rows = append(rows, more...)
	}
	p.alone, p.many = nil, [kinds][]*Row{}
	return rows
}

// one returns a row for a call of its own, or nil once the pool is closed.
func (p *pool) one() *Row {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		if len(p.alone) > 0 {
			return p.hand(&p.alone)
		}
		for k := range p.many {
			if p.spare(Kind(k)) {
				return p.hand(&p.many[k])
			}
		}
		p.singles.Wait()
	}
	return nil
}

// spare reports whether a row that may go with others goes singly: no call of many
// rows waits for it, or there would be no other row in it.
func (p *pool) spare(k Kind) bool {
	switch n := len(p.many[k]); {
	case n == 0 || p.filling > 0:
		return false
	case p.most(k) == 0:
		return true
	case p.idle == 0:
		// All are about a call. The next call takes these rows, unless the limit keeps it
		// waiting, or calls of many rows take long just now.
		return !p.roomy() || time.Since(p.moved) >= stall
	default:
		return n == 1 && !p.coming()
	}
}

// roomy reports whether the limit has room for one more call of many rows, beside those
// that are about to take their places.
func (p *pool) roomy() bool { return p.room() > p.claims }

// coming reports whether more rows may come soon.
func (p *pool) coming() bool { return !p.still || p.seeking > 0 || p.queued && p.out > 0 }

// hand hands out the first of some rows.
func (p *pool) hand(rows *[]*Row) *Row {
	p.out++
	j := (*rows)[0]
	(*rows)[0] = nil
	*rows = (*rows)[1:]
	return j
}

// fullest returns the kind with the most rows for the next call, and how many that is.
func (p *pool) fullest() (kind Kind, n int, full bool) {
	for k := range p.many {
		if takes := p.most(Kind(k)); min(len(p.many[k]), takes) > n {
			kind, n = Kind(k), min(len(p.many[k]), takes)
			full = n == takes
		}
	}
	return kind, n, full
}

// worth waits until a call of many rows would have more than one, beside those that
// others are about to take. Where the limit has room for the call at once, the rows are
// left to it. It reports false once the pool is closed.
func (p *pool) worth() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		if p.further() {
			p.idle--
			if p.roomy() {
				p.filling++
				p.claims++
			} else {
				p.spares()
			}
			return true
		}
		p.senders.Wait()
	}
	return false
}

// further reports whether rows are left for one more call.
func (p *pool) further() bool {
	for k := range p.many {
		if n := len(p.many[k]); n > 1 {
			if takes := p.most(Kind(k)); takes > 0 && n > 1+p.filling*takes {
				return true
			}
		}
	}
	return false
}

// rest says that a sender of many rows is idle again.
func (p *pool) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle++
	p.move() // what a call of its kind takes may be another number now
}

// move says that calls of many rows come along, and wakes whom that concerns.
func (p *pool) move() {
	if p.closed {
		return
	}
	p.moved = time.Now()
	if p.stalled == nil {
		p.stalled = time.AfterFunc(stall, p.leave)
	} else {
		p.stalled.Reset(stall)
	}
	p.senders.Broadcast()
	p.spares()
}

// leave leaves rows to calls of their own where those of many take long.
func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spares()
}

// spares wakes who waits for a row where one is spare.
func (p *pool) spares() {
	for k := range p.many {
		if p.spare(Kind(k)) {
			p.singles.Broadcast()
		}
	}
}

// fill returns the rows of a call that has its place: as many as it takes, or fewer
// where no more come soon. A call for one row is not worth while: it returns none.
func (p *pool) fill(take func(Kind) bool) (Kind, []*Row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := false
	t := time.AfterFunc(fillFor, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		late = true
		p.senders.Broadcast()
	})
	defer t.Stop()
	if p.claims > 0 {
		p.claims-- // the limit counts the place now, whoever of the senders has got it
	} else {
		p.filling++
	}
	defer func() {
		p.filling--
		p.move()
	}()
	for !p.closed {
		k, n, full := p.fullest()
		if full || late || !p.coming() || n == 0 {
			if n < 2 || !take(k) {
				return 0, nil
			}
			rows := append([]*Row(nil), p.many[k][:n]...)
			p.many[k] = p.many[k][n:]
			p.out += n
			return k, rows
		}
		p.senders.Wait()
	}
	return 0, nil
}

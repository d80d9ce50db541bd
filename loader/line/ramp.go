package line

import (
	"context"
	"sync"
)

// ramp lets the first call of a line go alone, and more side by side as answers
// come: at most one more than there were answers. Wrong keys, a wrong host or a
// wrong mapping then cost one call and not as many as fit into one round trip.
// It ends once as many have been answered as the limit needs in flight.
type ramp struct {
	full int // calls in flight from which on there is no bound; below 2 there is none

	mu      sync.Mutex
	answers int
	flying  int           // places given out
	refused error         // the end of those that wait now
	wake    chan struct{} // closed when something changed
}

func newRamp(full int) *ramp {
	return &ramp{full: full, wake: make(chan struct{})}
}

// enter waits for a place, which leave ends. Once there is no bound any more,
// places are not counted.
func (r *ramp) enter(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for waited := false; ; waited = true {
		if waited && r.refused != nil {
			return r.refused
		}
		if r.answers+1 >= r.full {
			return nil
		}
		if r.flying <= r.answers {
			r.flying++
			return nil
		}
		wake := r.wake
		r.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
		}
		r.mu.Lock()
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}

// leave ends a place. answered says that its call was made; end, that its answer
// would meet all others, which then need not be made.
func (r *ramp) leave(answered bool, end error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flying--
	if answered && end == nil {
		r.answers++
	}
	if end != nil {
		r.refused = end
	}
	close(r.wake)
	r.wake = make(chan struct{})
}

package sandbox

import (
	"fmt"
	"time"
)

// Outages that SetOutage knows.
const (
	OutageNone   = ""
	Outage503    = "503"    // every call is answered by a proxy's 503 page
	OutageRefuse = "refuse" // connections are refused; those that are open are reset
	OutageReset  = "reset"  // connections are taken and reset once the request is read
	OutageHang   = "hang"   // calls are taken and never answered, for Faults.HangFor at most
)

// SetOutage starts an outage, changes it, or ends it with "". No call is
// carried out while it lasts. An unknown mode is an error and changes nothing.
func (a *Account) SetOutage(mode string) error {
	return a.OutageFor(mode, 0)
}

// OutageFor is SetOutage for a time; 0 is until somebody ends it.
func (a *Account) OutageFor(mode string, d time.Duration) error {
	switch mode {
	case OutageNone, Outage503, OutageRefuse, OutageReset, OutageHang:
	default:
		return fmt.Errorf("there is no outage %q: use 503, refuse, reset or hang", mode)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.outageEnd != nil {
		a.outageEnd.Stop()
		a.outageEnd = nil
	}
	a.outage = mode
	if mode == OutageRefuse {
		a.door.lock()
	} else {
		a.door.unlock(a.closed)
	}
	select {
	case <-a.closed:
		return nil
	default:
	}
	if mode != OutageNone && d > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(d, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			if a.outageEnd != timer {
				return // another outage has begun since
			}
			a.outage, a.outageEnd = OutageNone, nil
			a.door.unlock(a.closed)
		})
		a.outageEnd = timer
	}
	return nil
}

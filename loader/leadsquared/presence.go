package leadsquared

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Presence is the body of a check-in or check-out (vendor's check-in and
// check-out pages).
type Presence struct {
	Source             string // mandatory: where one checks in from, such as "API"
	Location           string
	Latitude           *float64
	Longitude          *float64
	AvailabilityStatus string            // check-in: Online, Away, Offline; check-out: Offline only
	OtherDetails       map[string]string // anything
}

// presenceBody fixes the names and leaves out what is not given.
type presenceBody struct {
	Source             string            `json:"Source"`
	Location           string            `json:"Location,omitempty"`
	Latitude           *float64          `json:"Latitude,omitempty"`
	Longitude          *float64          `json:"Longitude,omitempty"`
	AvailabilityStatus string            `json:"AvailabilityStatus,omitempty"`
	OtherDetails       map[string]string `json:"OtherDetails,omitempty"`
}

// CheckInProblem says why the account would refuse the check-in; nil is none.
func (p Presence) CheckInProblem() error {
	return p.problem("Online", "Away", "Offline")
}

// CheckOutProblem says why the account would refuse the check-out; nil is none.
func (p Presence) CheckOutProblem() error {
	return p.problem("Offline")
}

func (p Presence) problem(statuses ...string) error {
	if strings.TrimSpace(p.Source) == "" {
		return fmt.Errorf("no source: say where you check in or out from, such as API")
	}
	if p.AvailabilityStatus != "" {
		known := false
		for _, s := range statuses {
			known = known || strings.EqualFold(s, strings.TrimSpace(p.AvailabilityStatus))
		}
		if !known {
			return fmt.Errorf("availability status %q is not possible here: use %s", p.AvailabilityStatus, strings.Join(statuses, ", "))
		}
	}
	if p.Latitude != nil && !(*p.Latitude >= -90 && *p.Latitude <= 90) {
		return fmt.Errorf("latitude %v is not between -90 and 90", *p.Latitude)
	}
	if p.Longitude != nil && !(*p.Longitude >= -180 && *p.Longitude <= 180) {
		return fmt.Errorf("longitude %v is not between -180 and 180", *p.Longitude)
	}
	return nil
}

// CheckIn checks the keys' user in. Message of an Applied outcome is the
// account's sentence. What CheckInProblem finds is Rejected without a call.
func (c *Client) CheckIn(ctx context.Context, s Slot, p Presence) Outcome {
	if err := p.CheckInProblem(); err != nil {
		return invalid(err.Error())
	}
	return c.presence(ctx, s, pathCheckIn, p)
}

// CheckOut checks the keys' user out. What CheckOutProblem finds is Rejected without a call.
func (c *Client) CheckOut(ctx context.Context, s Slot, p Presence) Outcome {
	if err := p.CheckOutProblem(); err != nil {
		return invalid(err.Error())
	}
	return c.presence(ctx, s, pathCheckOut, p)
}

func (c *Client) presence(ctx context.Context, s Slot, path string, p Presence) Outcome {
	body, err := json.Marshal(presenceBody(p))
	if err != nil {
		return invalid("the check-in cannot be written as JSON")
	}
	o, _ := c.do(ctx, s, call{kind: kindPresence, method: http.MethodPost, path: path, body: body})
	return o
}

// CheckInState is whether a user is checked in.
type CheckInState struct {
	In   bool
	Last time.Time // LastCheckedOn, UTC; zero where the answer has none
}

// CheckedIn asks whether the keys' user is checked in (CheckinStatus).
func (c *Client) CheckedIn(ctx context.Context, s Slot) (CheckInState, Outcome) {
	o, doc := c.get(ctx, s, pathCheckedIn)
	if o.Verdict != Applied {
		return CheckInState{}, o
	}
	top, _ := doc.(object)
	state := CheckInState{Last: top.time("LastCheckedOn")}
	switch strings.ToLower(top.text("IsCheckedIn")) {
	case "true", "1":
		state.In = true
	case "false", "0":
	default:
		return CheckInState{}, misread(o, "a check-in status")
	}
	return state, o
}

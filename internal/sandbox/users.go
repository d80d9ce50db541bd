package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// presence is whether the keys' user is checked in.
type presence struct {
	in     bool
	last   time.Time
	status string
	source string
}

// Checked says whether the keys' user is checked in, and when that last
// changed by the account's clock; the zero time is never.
func (a *Account) Checked() (in bool, last time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.presence.in, a.presence.last
}

func (a *Account) checkIn(c *call) answer  { return a.check(c, true) }
func (a *Account) checkOut(c *call) answer { return a.check(c, false) }

func (a *Account) check(c *call, in bool) answer {
	var b struct {
		Source             text
		Location           text
		Latitude           *float64
		Longitude          *float64
		AvailabilityStatus text
		OtherDetails       map[string]json.RawMessage
	}
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	if strings.TrimSpace(b.Source) == "" {
		return missing("Source").answer()
	}
	allowed := []string{"Online", "Away", "Offline"}
	if !in {
		allowed = allowed[2:]
	}
	status := ""
	for _, s := range allowed {
		if strings.EqualFold(s, b.AvailabilityStatus) {
			status = s
		}
	}
	if status == "" && b.AvailabilityStatus != "" {
		return invalid("AvailabilityStatus '%s' is not valid: accepted values are %s", b.AvailabilityStatus, strings.Join(allowed, ", ")).answer()
	}
	a.mu.Lock()
	a.presence = presence{in: in, last: a.now(), status: status, source: b.Source}
	last := a.presence.last
	a.mu.Unlock()
	verb := "in"
	if !in {
		verb = "out"
	}
	var s struct {
		Status  string
		Message struct{ ResponseText string }
	}
	s.Status = "Success"
	s.Message.ResponseText = fmt.Sprintf("User successfully checked %s on %s", verb, last.Format(inputTime))
	return ok(s)
}

func (a *Account) checkinStatus(*call) answer {
	in, last := a.Checked()
	var on *string
	if !last.IsZero() {
		on = pointer(last.Format(inputTime))
	}
	return ok(struct {
		IsCheckedIn   bool
		LastCheckedOn *string
	}{in, on})
}

func (a *Account) userByAccessKey(c *call) answer {
	host := a.o.RightHost
	if host == "" {
		host = c.r.Host
	}
	var u struct {
		Id, Name, EmailAddress, Role, TimeZone string
		PassPhrase                             string // the address again: the vendor's own sample has it here alone
		Type                                   string
		OrgDisplayName, OrgId                  string
		DefaultCountryCode                     string
		LSQCommonServiceURLs                   struct {
			Api string `json:"api"`
			App string `json:"app"`
		}
	}
	u.Id, u.Name, u.EmailAddress, u.Role, u.TimeZone = a.o.User.ID, a.o.User.Name, a.o.User.Email, a.o.User.Role, a.o.User.TimeZone
	u.PassPhrase = a.o.User.Email
	u.Type, u.OrgDisplayName, u.OrgId, u.DefaultCountryCode = "ApplicationUser", a.o.Org.Name, a.o.Org.ID, "91"
	u.LSQCommonServiceURLs.Api, u.LSQCommonServiceURLs.App = host, host
	return ok(u)
}

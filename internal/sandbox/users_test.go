package sandbox

import (
	"testing"
	"time"
)

func TestUserByAccessKey(t *testing.T) {
	a := newTester(t, Options{User: User{Email: "me@example.com", TimeZone: "Europe/Berlin", Role: "Sales User"}, Org: Org{ID: "o-1", Name: "Acme"}})
	a.get(authPath).has(t, 200, `"EmailAddress":"me@example.com"`, `"TimeZone":"Europe/Berlin"`, `"Role":"Sales User"`, `"OrgId":"o-1"`, `"OrgDisplayName":"Acme"`, `"LSQCommonServiceURLs":{"api":"example.com"`)
}

func TestCheckInAndOut(t *testing.T) {
	now := time.Date(2017, 10, 31, 9, 54, 6, 0, time.UTC)
	a := newTester(t, Options{Clock: func() time.Time { return now }})
	a.get(userPath+"CheckinStatus").has(t, 200, `{"IsCheckedIn":false,"LastCheckedOn":null}`)
	if in, last := a.Checked(); in || !last.IsZero() {
		t.Error("checked in from the start")
	}
	a.post(userPath+"CheckIn", `{"Source":"MobileApp","Location":"KA","Latitude":38.578624,"Longitude":-121.497595,"AvailabilityStatus":"Online","OtherDetails":{"key1":"value1"}}`).
		has(t, 200, `{"Status":"Success","Message":{"ResponseText":"User successfully checked in on 2017-10-31 09:54:06"}}`)
	a.get(userPath+"CheckinStatus").has(t, 200, `{"IsCheckedIn":true,"LastCheckedOn":"2017-10-31 09:54:06"}`)
	if in, last := a.Checked(); !in || !last.Equal(now) {
		t.Errorf("checked in %v at %v", in, last)
	}
	now = now.Add(time.Minute)
	a.post(userPath+"CheckOut", `{"Source":"API","AvailabilityStatus":"OFFLINE"}`).
		has(t, 200, `"ResponseText":"User successfully checked out on 2017-10-31 09:55:06"`)
	a.get(userPath+"CheckinStatus").has(t, 200, `{"IsCheckedIn":false,"LastCheckedOn":"2017-10-31 09:55:06"}`)
}

func TestCheckInRefuses(t *testing.T) {
	for _, c := range []struct {
		name, call, body string
		status           int
		part             string
	}{
		{"no source", "CheckIn", `{}`, 500, "'Source' is mandatory"},
		{"blank source", "CheckIn", `{"Source":" "}`, 500, "'Source' is mandatory"},
		{"unknown status", "CheckIn", `{"Source":"API","AvailabilityStatus":"Busy"}`, 500, "Busy"},
		{"latitude as text", "CheckIn", `{"Source":"API","Latitude":"38.5"}`, 400, ""},
		{"details that are no pairs", "CheckIn", `{"Source":"API","OtherDetails":"x"}`, 400, ""},
		{"unknown name", "CheckIn", `{"Source":"API","Place":"KA"}`, 400, "Place"},
		{"no body", "CheckIn", ``, 400, ""},
		{"out with Online", "CheckOut", `{"Source":"API","AvailabilityStatus":"Online"}`, 500, "Offline"},
		{"out with Away", "CheckOut", `{"Source":"API","AvailabilityStatus":"Away"}`, 500, "Offline"},
		{"out without source", "CheckOut", `{"AvailabilityStatus":"Offline"}`, 500, "'Source' is mandatory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newTester(t, Options{})
			a.post(userPath+c.call, c.body).has(t, c.status, c.part)
			if in, last := a.Checked(); in || !last.IsZero() {
				t.Error("the refusal changed something")
			}
		})
	}
	for _, status := range []string{"Online", "Away", "Offline", "online"} {
		a := newTester(t, Options{})
		a.post(userPath+"CheckIn", `{"Source":"API","AvailabilityStatus":"`+status+`"}`).has(t, 200)
	}
}

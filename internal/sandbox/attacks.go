package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
)

// This file has what goes wrong between the account and its client, and beside them:
// caches, proxies, services behind, and people who merge leads.

// keptAnswers is how many answers of a path a fault may repeat.
const keptAnswers = 64

// earlier are the last answers at a path.
type earlier struct {
	list []earlierAnswer
	next int
}

type earlierAnswer struct {
	query string
	body  []byte // of the request
	answer
}

func (a *Account) earlierAt(path string) *earlier {
	e := a.earlier[path]
	if e == nil {
		e = &earlier{}
		a.earlier[path] = e
	}
	return e
}

// remember keeps an answer that a fault may repeat.
func (a *Account) remember(c *call, done answer) {
	if done.status != http.StatusOK || done.refused {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.earlierAt(c.r.URL.Path)
	one := earlierAnswer{c.record.Query, c.body, done}
	if len(e.list) < keptAnswers {
		e.list = append(e.list, one)
		return
	}
	e.list[e.next] = one
	e.next = (e.next + 1) % keptAnswers
}

// other returns an earlier answer at a call's path to another question. It reports
// false where there is none.
func (a *Account) other(c *call) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.earlierAt(c.r.URL.Path)
	if len(e.list) == 0 {
		return answer{}, false
	}
	at := a.wobble.IntN(len(e.list))
	for i := range e.list {
		one := &e.list[(at+i)%len(e.list)]
		if one.query != c.record.Query || !bytes.Equal(one.body, c.body) {
			return one.answer, true
		}
	}
	return answer{}, false
}

// foreigners are answers that are not the application's, to a call that it has carried out.
var foreigners = map[string][]answer{
	FaultForeignLimit: {
		failure(500, "WebException", "The remote server returned an error: (429) Too Many Requests."),
		failure(502, "ThrottlingException", "Rate exceeded"),
		failure(200, "WebhookException", "rate limit of the webhook's receiver is reached"),
		failure(500, "TooManyRequestsException", "the queue takes 10 messages a second"),
		{status: 429, html: true, body: []byte("<html><body><h1>429 Too Many Requests</h1><p>Ray ID 7d1</p></body></html>")},
	},
	FaultGatewayRefusal: {
		{status: 400, html: true, body: []byte("<html><body><h1>400 Bad Request</h1></body></html>")},
		{status: 403, html: true, body: []byte("<html><body><h1>Access denied</h1></body></html>")},
		{status: 404, html: true, body: []byte("<html><body><h1>404 Not Found</h1></body></html>")},
		{status: 413, html: true, body: []byte("<html><body><h1>413 Request Entity Too Large</h1></body></html>")},
		failure(500, "Mailer.InvalidApiKeyException", "the API key of the mail service is not valid"),
	},
}

func foreign(c *call) answer {
	list := foreigners[c.record.Fault]
	return list[int(c.record.Number)%len(list)]
}

// MergeLeads moves what one lead has to another and takes it out of the account, as a
// person does with two entries of one customer. Its e-mail address and its id then
// name no lead.
func (a *Account) MergeLeads(into, from string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	to, err := a.leadAt(into)
	if err != nil {
		return err
	}
	at, err := a.leadAt(from)
	if err != nil {
		return err
	}
	if to == at {
		return fmt.Errorf("lead %s cannot be merged into itself", into)
	}
	s := a.store
	old, left := &s.leads[at], &s.leads[to]
	s.unindexLead(at, s.names.unpack(old.attributes), a.unique)
	delete(s.leadByID, old.id)
	for _, o := range old.opportunities {
		s.opps[o].lead = to
	}
	for _, v := range old.sales {
		s.sales[v].lead = to
	}
	left.opportunities, left.sales = append(left.opportunities, old.opportunities...), append(left.sales, old.sales...)
	old.opportunities, old.sales, old.merged = nil, nil, true
	return nil
}

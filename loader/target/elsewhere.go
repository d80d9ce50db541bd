package target

import (
	"context"
	"errors"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Pager is a Target whose records can be read without knowing their leads.
type Pager interface {
	Target
	// Since calls each for every record of a type that was made or changed since a
	// moment, by the account's clock. It reports false where that cannot be known: the
	// account has no such pages, or more than are read for a doubt. Then again says that
	// another time it may. The error ends the run.
	Since(ctx context.Context, l *line.Line, code int, since time.Time, each func(Record)) (whole, again bool, err error)
}

// doubtPages bounds the pages that are read for rows in doubt.
const doubtPages = 200

func (opportunity) Since(ctx context.Context, l *line.Line, code int, since time.Time, each func(Record)) (whole, again bool, err error) {
	err = Pages(ctx, l, code, since, func(total int) bool { return pagesOf(total) <= doubtPages }, func(o leadsquared.Opportunity) {
		each(Record{ID: o.ID, Lead: o.LeadID, Code: code, Created: o.CreatedOn, Readable: true, Note: o.Note, Fields: o.Fields, Elsewhere: true})
	})
	var own *fault.Fault
	switch {
	case err == errNoPages, err == errDeclined:
		return false, false, nil
	case errors.As(err, &own) && own.Code == "account.pages":
		return false, true, nil
	}
	return err == nil, false, err
}

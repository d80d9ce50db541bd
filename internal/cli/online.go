package cli

import (
	"context"

	"leadload/loader/account"
	"leadload/mapping"
)

// askMetadata asks the account for its fields, or takes what it said less
// than a day ago, and holds the mapping against it.
func (a *app) askMetadata(ctx context.Context, o *checkOptions, m *mapping.Mapping) (_ *account.Online, err error) {
	k, err := a.connectBriefly(ctx, &o.common)
	if err != nil {
		return nil, err
	}
	defer k.close()
	md, err := k.session.Metadata(ctx, m, o.fresh)
	if err != nil {
		return nil, err
	}
	if md.Cached && !o.quiet {
		a.say("the account's fields are those of %s; --refresh asks again", md.Fetched.Local().Format("2006-01-02 15:04"))
	}
	return account.NewOnline(m, md)
}

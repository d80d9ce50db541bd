package leadsquared

import (
	"strings"
	"testing"
	"time"
)

func TestParseHost(t *testing.T) {
	for _, c := range []struct {
		name, in string
		async    bool
		want     string // "" is an error
		says     string
	}{
		{name: "bare", in: "api-in21.leadsquared.com", want: "https://api-in21.leadsquared.com"},
		{name: "with scheme", in: "https://api.leadsquared.com", want: "https://api.leadsquared.com"},
		{name: "with a final slash", in: "https://api.leadsquared.com/", want: "https://api.leadsquared.com"},
		{name: "with v2", in: "https://api.leadsquared.com/v2/", want: "https://api.leadsquared.com"},
		{name: "bare with v2", in: "api.leadsquared.com/v2", want: "https://api.leadsquared.com"},
		{name: "in capitals with blanks", in: "  API-IN21.LeadSquared.com ", want: "https://api-in21.leadsquared.com"},
		{name: "with a port", in: "api.leadsquared.com:8443", want: "https://api.leadsquared.com:8443"},
		{name: "a host of one's own", in: "crm.example.org", want: "https://crm.example.org"},
		{name: "with the default port", in: "api.leadsquared.com:443", want: "https://api.leadsquared.com"},
		{name: "with zeros before the port", in: "api.leadsquared.com:08443", want: "https://api.leadsquared.com:8443"},
		{name: "with a final dot", in: "api.leadsquared.com.", want: "https://api.leadsquared.com"},
		{name: "with a final dot and the default port", in: "https://API.leadsquared.com.:0443//v2//", want: "https://api.leadsquared.com"},
		{name: "http with the default port", in: "http://localhost:80/", want: "http://localhost"},
		{name: "http with the port of https", in: "http://localhost:443", want: "http://localhost:443"},
		{name: "IPv4 written as IPv6", in: "http://[::ffff:127.0.0.1]:8080", want: "http://127.0.0.1:8080"},
		{name: "IPv6 at length", in: "http://[0:0:0:0:0:0:0:1]:8080", want: "http://[::1]:8080"},
		{name: "http for 127.0.0.1", in: "http://127.0.0.1:8080", want: "http://127.0.0.1:8080"},
		{name: "http for all of 127", in: "http://127.9.9.9", want: "http://127.9.9.9"},
		{name: "http for localhost", in: "http://localhost:1", want: "http://localhost:1"},
		{name: "http for ::1", in: "http://[::1]:8080/", want: "http://[::1]:8080"},
		{name: "bare localhost is https", in: "localhost:8080", want: "https://localhost:8080"},
		{name: "IPv6 without a port", in: "https://[::1]", want: "https://[::1]"},
		{name: "async", in: "asyncapi-in21.leadsquared.com", async: true, want: "https://asyncapi-in21.leadsquared.com"},
		{name: "empty", in: "  ", says: "LEADSQUARED_HOST"},
		{name: "http elsewhere", in: "http://api.leadsquared.com", says: "write https://api.leadsquared.com"},
		{name: "http for a name that begins like loopback", in: "http://127.0.0.1.example.com", says: "plain http"},
		{name: "http for localhost's namesake", in: "http://localhost.example.com", says: "plain http"},
		{name: "ftp", in: "ftp://api.leadsquared.com", says: "scheme"},
		{name: "a path", in: "https://api.leadsquared.com/v2/OpportunityManagement.svc", says: "path"},
		{name: "async with v2", in: "asyncapi.leadsquared.com/v2", async: true, says: "path"},
		{name: "a query", in: "https://api.leadsquared.com/v2/?accessKey=verysecret", says: "leave out"},
		{name: "a user", in: "https://verysecret@api.leadsquared.com", says: "leave out"},
		{name: "a colon and no port", in: "api.leadsquared.com:", says: "port"},
		{name: "port 0", in: "api.leadsquared.com:0", says: "port"},
		{name: "port 70000", in: "api.leadsquared.com:70000", says: "port"},
		{name: "a port of letters", in: "api.leadsquared.com:https", says: "not a host"},
		{name: "a blank inside", in: "api leadsquared.com", says: "not a host"},
		{name: "two dots", in: "api..leadsquared.com", says: "not a host"},
		{name: "a scheme alone", in: "https://", says: "not a host"},
		{name: "a star", in: "*.leadsquared.com", says: "not a host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			setting := syncHost
			if c.async {
				setting = asyncHost
			}
			got, err := parseHost(c.in, setting)
			switch {
			case c.want != "" && (err != nil || got != c.want):
				t.Errorf("%q, %v, want %q", got, err, c.want)
			case c.want == "" && err == nil:
				t.Errorf("%q, want an error", got)
			case c.want == "" && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "verysecret")):
				t.Errorf("error %q does not say %q", err, c.says)
			}
		})
	}
}

func TestNewNamesWhatToMend(t *testing.T) {
	good := func() Config {
		return Config{Host: "api.example.com", AccessKey: NewSecret(testAccess), SecretKey: NewSecret(testSecret)}
	}
	for _, c := range []struct {
		name string
		mend func(*Config)
		says []string // none: no error
	}{
		{name: "all there", mend: func(*Config) {}},
		{name: "no host", mend: func(c *Config) { c.Host = "" }, says: []string{"host", "LEADSQUARED_HOST"}},
		{name: "no access key", mend: func(c *Config) { c.AccessKey = Secret{} }, says: []string{"access_key", "LEADSQUARED_ACCESS_KEY"}},
		{name: "an empty secret key", mend: func(c *Config) { c.SecretKey = NewSecret("") }, says: []string{"secret_key", "LEADSQUARED_SECRET_KEY"}},
		{name: "a key with a line break", mend: func(c *Config) { c.SecretKey = NewSecret("verysecret\n") }, says: []string{"secret_key", "line break"}},
		{name: "an async key with a blank", mend: func(c *Config) { c.AsyncKey = NewSecret("very secret") }, says: []string{"async_key", "LEADSQUARED_ASYNC_KEY"}},
		{name: "a key in curly quotes", mend: func(c *Config) { c.AccessKey = NewSecret("“verysecret”") }, says: []string{"access_key"}},
		{name: "a bad async host", mend: func(c *Config) { c.AsyncHost = "http://x.example.com" }, says: []string{"async_host"}},
		{name: "a negative timeout", mend: func(c *Config) { c.Timeout = -1 }, says: []string{"timeout"}},
		{name: "negative idle connections", mend: func(c *Config) { c.MaxIdle = -1 }, says: []string{"idle"}},
		{name: "a status path without a slash", mend: func(c *Config) { c.StatusPath = "opportunity/status" }, says: []string{"status path", "begins with /"}},
		{name: "a metrics path with a query", mend: func(c *Config) { c.MetricsPath = "/x?a=b" }, says: []string{"metrics path"}},
		{name: "paths of one's own", mend: func(c *Config) { c.StatusPath, c.MetricsPath = "/a/b", "/c" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := good()
			c.mend(&conf)
			n, err := New(conf)
			if (err == nil) != (len(c.says) == 0) || (n == nil) != (err != nil) {
				t.Fatalf("client %v, error %v", n, err)
			}
			for _, w := range c.says {
				if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "secret\n") || strings.Contains(err.Error(), "verysecret") {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestAsyncCallsNeedTheirSettings(t *testing.T) {
	sync := testClient(t, Config{Host: "api.example.com"})
	if o := sync.Make(t.Context(), nil, QueueOpportunity, nil); o.Verdict != Fatal || Code(o) != codeSetup || !strings.Contains(o.Message, "async_host") {
		t.Errorf("%v %q", o.Verdict, o.Message)
	}
	keyless := testClient(t, Config{Host: "api.example.com", AsyncHost: "async.example.com", AccessKey: NewSecret("abcdef"), SecretKey: NewSecret("abcdef")})
	if _, o := keyless.QueueMetrics(t.Context(), nil); o.Verdict != Fatal || !strings.Contains(o.Message, "async_key") {
		t.Errorf("%v %q", o.Verdict, o.Message)
	}
}

func TestTransportIsTuned(t *testing.T) {
	tr := newTransport(25, nil, nil)
	if tr.MaxIdleConnsPerHost < 25 || tr.MaxConnsPerHost != 0 || tr.IdleConnTimeout < 11*time.Second || tr.Proxy == nil || tr.TLSHandshakeTimeout == 0 {
		t.Errorf("%+v", tr)
	}
	if p := tr.Protocols; p.HTTP2() || p.UnencryptedHTTP2() || !p.HTTP1() {
		t.Errorf("protocols %v", p)
	}
}

package leadsquared

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// hosts tell parseHost which setting it reads, for its errors.
type hostSetting struct {
	key, env string
	v2       bool // the path /v2 is tolerated
}

var (
	syncHost  = hostSetting{"host", "LEADSQUARED_HOST", true}
	asyncHost = hostSetting{"async_host", "LEADSQUARED_ASYNC_HOST", false}
)

// HostName returns the one name of a host, however it is written: without
// blanks, default port, final dot, leading zeros of the port, and /v2. The scheme
// stands before it only where it is http. The error is that of New.
func HostName(raw string) (string, error) {
	base, err := parseHost(raw, syncHost)
	return strings.TrimPrefix(base, "https://"), err
}

// parseHost reads "api-in21.leadsquared.com", with or without scheme, port
// and a final slash, and returns "https://api-in21.leadsquared.com". A host whose
// name is not LeadSquared's is taken as it is: accounts may have their own.
func parseHost(raw string, s hostSetting) (base string, err error) {
	text := strings.TrimSpace(raw)
	if text == "" {
		return "", fmt.Errorf("no host: set %s in the account file or %s, such as api-in21.leadsquared.com", s.key, s.env)
	}
	// A URL pasted whole may hold keys in its query, so it is never quoted back.
	if strings.ContainsAny(text, "?#@") {
		return "", fmt.Errorf("%s holds more than a host: leave out user name, query and fragment, and keep the host alone, such as api-in21.leadsquared.com", s.key)
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", fmt.Errorf("%s %q is not a host: write it like api-in21.leadsquared.com", s.key, raw)
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "https" && scheme != "http" {
		return "", fmt.Errorf("%s %q has the scheme %q: use https, or leave it out", s.key, raw, u.Scheme)
	}
	switch path := strings.Trim(u.Path, "/"); {
	case path == "":
	case s.v2 && strings.EqualFold(path, "v2"):
	default:
		return "", fmt.Errorf("%s %q has the path %q: leave it out, paths are added to the host", s.key, raw, u.Path)
	}
	name := strings.ToLower(u.Hostname())
	if !validHostname(name) {
		return "", fmt.Errorf("%s %q is not a host name: write it like api-in21.leadsquared.com", s.key, raw)
	}
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return "", fmt.Errorf("%s %q ends in a colon without a port", s.key, raw)
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", fmt.Errorf("%s %q has no valid port: ports go from 1 to 65535", s.key, raw)
		}
	}
	if scheme == "http" && !isLoopback(name) {
		return "", fmt.Errorf("%s %q: plain http would send the keys in clear and the account refuses it; write https://%s, http is for 127.0.0.1 and localhost only", s.key, raw, name)
	}
	name = strings.TrimSuffix(name, ".")
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.Unmap().String()
	}
	host := name
	if strings.Contains(name, ":") {
		host = "[" + name + "]"
	}
	if number, _ := strconv.Atoi(port); port != "" && !(scheme == "https" && number == 443) && !(scheme == "http" && number == 80) {
		host = net.JoinHostPort(name, strconv.Itoa(number))
	}
	return scheme + "://" + host, nil
}

func validHostname(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

// isLoopback reports whether traffic to the host stays on this machine.
func isLoopback(name string) bool {
	if name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}

// bareHost gives "api.example.com:8443" of "https://api.example.com:8443".
func bareHost(base string) string {
	if _, h, ok := strings.Cut(base, "://"); ok {
		return h
	}
	return base
}

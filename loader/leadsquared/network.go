package leadsquared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// ErrNotSent marks an error of a Config.Transport that stands in for the
// network: nothing of the request left. A stand-in's other errors count as
// "the request may have left".
var ErrNotSent = errors.New("nothing was sent")

// judgeNetwork judges a call that brought no answer. A request is certainly not
// applied when no connection was had or its byte counter did not move; it is
// in doubt in every other case.
func judgeNetwork(a answer) Outcome {
	code, words := networkCause(a)
	o := Outcome{Verdict: InDoubt, code: code, Message: words}
	switch code {
	case codeCertificate:
		if !a.wrote { // the connection was never used
			o.Verdict = Fatal
			return o
		}
	case codeTimeout:
		o.Outage = !a.cancelled
	}
	if !a.wrote {
		o.Verdict = NotSent
		switch code {
		case codeCancelled, codeStale:
		default:
			o.Outage = !a.cancelled
		}
	}
	return o
}

// networkCause names why there was no answer, in words that hold no URL:
// the error texts of net/url print the whole query.
func networkCause(a answer) (code, words string) {
	err := a.err
	if err == nil {
		return codeNetwork, "no answer"
	}
	var uerr *url.Error
	for errors.As(err, &uerr) && uerr.Err != nil && uerr.Err != err {
		err = uerr.Err
	}
	host := a.host
	var (
		dns      *net.DNSError
		op       *net.OpError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		roots    x509.SystemRootsError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		timeout  net.Error
	)
	dialing := errors.As(err, &op) && op.Op == "dial"
	if op != nil && op.Op == "proxyconnect" {
		host = "the proxy"
	}
	switch {
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &roots):
		return codeCertificate, "the certificate of " + host + " cannot be trusted: " + innermost(err)
	case a.cancelled && !errors.Is(err, context.DeadlineExceeded):
		return codeCancelled, "the call was given up"
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return codeDNS, "no host is known by the name " + host
		}
		return codeDNS, "the name " + host + " could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "actively refused"):
		return codeRefused, host + " refused the connection"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		if dialing || !a.wrote {
			return codeTimeout, "no connection to " + host + " within the time allowed"
		}
		return codeTimeout, "no answer from " + host + " within the time allowed"
	case errors.Is(err, context.Canceled):
		return codeCancelled, "the call was given up"
	case errors.As(err, &record):
		return codeTLS, host + " does not speak TLS on this port"
	case errors.As(err, &alert), errors.Is(err, errTLS):
		return codeTLS, "no secure connection to " + host + ": " + innermost(err)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), dialing:
		return codeUnreachable, "no connection to " + host + ": " + innermost(err)
	case a.wrote && (errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)):
		return codeReset, "the connection was cut before the answer came"
	case a.connected && !a.wrote:
		return codeStale, "the connection had been closed before anything was sent"
	}
	return codeNetwork, innermost(err)
}

// innermost gives the text of the last error of a chain, which names no address and no URL.
func innermost(err error) string {
	for {
		var next error
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			next = e.Unwrap()
		case interface{ Unwrap() []error }:
			if list := e.Unwrap(); len(list) > 0 {
				next = list[len(list)-1]
			}
		}
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

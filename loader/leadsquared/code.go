package leadsquared

import (
	"strings"
	"time"
)

// The stable codes of everything that is not plain success.
const (
	codeKeys          = "account.keys"
	codeHost          = "account.host"
	codeForbidden     = "account.forbidden"
	codePath          = "account.path"
	codeRequest       = "account.request"
	codeRejected      = "account.rejected"
	codeBadRequest    = "account.bad-request"
	codeTooLarge      = "account.too-large"
	codeLimit         = "account.limit"
	codeDailyLimit    = "account.daily-limit"
	codePartial       = "account.partial"
	codeServerError   = "answer.server-error"
	codeGateway       = "answer.gateway"
	codeRedirect      = "answer.redirect"
	codeHTML          = "answer.html"
	codeEmpty         = "answer.empty"
	codeCut           = "answer.cut"
	codeUnreadable    = "answer.unreadable"
	codeUnexpected    = "answer.unexpected"
	codeContradiction = "answer.contradiction"
	codeNoID          = "answer.no-id"
	codeIncomplete    = "answer.incomplete"
	// codeLimitElsewhere is a limit that is not stated in the account's own words.
	codeLimitElsewhere = "answer.limit"
	codeRefused        = "network.refused"
	codeDNS            = "network.dns"
	codeTimeout        = "network.timeout"
	codeTLS            = "network.tls"
	codeCertificate    = "network.certificate"
	codeUnreachable    = "network.unreachable"
	codeReset          = "network.cut"
	codeStale          = "network.stale"
	codeCancelled      = "network.cancelled"
	codeNetwork        = "network.failed"
	codeSetup          = "call.setup"
	codeInvalid        = "call.invalid"

	codeException = "account." // before an exception type, such as account.MXDuplicateEntryException
)

// Codes are all the codes that Code gives, exception types apart: those are
// "account." and the account's own word, and there is no published list of
// them. The ones known from the vendor's pages and the field are included.
var Codes = []string{
	codeKeys, codeHost, codeForbidden, codePath, codeRequest, codeRejected, codeBadRequest, codeTooLarge, codeLimit, codeDailyLimit, codePartial,
	codeException + "MXMandatoryAttributeMissingException",
	codeException + "MXInvalidInputException",
	codeException + "MXInvalidActivityFieldsException",
	codeException + "MXDuplicateEntryException",
	codeException + "MXInvalidDataTypeException",
	codeException + "MXInvalidEmailException",
	codeServerError, codeGateway, codeRedirect, codeHTML, codeEmpty, codeCut, codeUnreadable, codeUnexpected, codeContradiction, codeNoID, codeIncomplete, codeLimitElsewhere,
	codeRefused, codeDNS, codeTimeout, codeTLS, codeCertificate, codeUnreachable, codeReset, codeStale, codeCancelled, codeNetwork,
	codeSetup, codeInvalid,
}

// Code gives the stable code of an outcome, such as "account.limit" or
// "network.refused"; "" for plain success. A refusal that names its exception
// type has that type in its code: "account.MXDuplicateEntryException".
//
// An outcome that was not made by a call, for example one read back from a
// ledger, gets the code that its fields allow. A limit whose window is an hour or
// more is "account.daily-limit".
func Code(o Outcome) string {
	switch o.Verdict {
	case Rejected:
		if o.ExceptionType != "" && (o.code == "" || o.code == codeRejected || o.code == codeBadRequest) {
			return codeException + typeWord(o.ExceptionType)
		}
	case Throttled:
		if o.StatedWindow >= time.Hour {
			return codeDailyLimit // waiting it out is no matter of seconds
		}
		return codeLimit
	case Applied, Duplicate, Accepted:
		return o.code
	}
	if o.Stop && o.StatedWindow >= time.Hour {
		return codeDailyLimit
	}
	if o.code != "" {
		return o.code
	}
	switch o.Verdict {
	case Rejected:
		if o.Status == 400 {
			return codeBadRequest
		}
		return codeRejected
	case Fatal:
		switch {
		case o.RightHost != "":
			return codeHost
		case o.Status == 401:
			return codeKeys
		case o.Status == 403:
			return codeForbidden
		case o.Status == 404, o.Status == 405, o.Status == 410:
			return codePath
		case o.Status == 0:
			return codeCertificate
		}
		return codeRequest
	case NotSent:
		return codeNetwork
	}
	switch {
	case o.Status == 0:
		return codeNetwork
	case o.Slow:
		return codeLimitElsewhere
	case o.Status == 500:
		return codeServerError
	case o.Status > 500:
		return codeGateway
	case o.Status >= 300 && o.Status < 400:
		return codeRedirect
	}
	return codeUnexpected
}

// typeWord keeps an exception type to the characters of a type's name: it
// comes from the network and ends up in codes that people search for.
func typeWord(t string) string {
	if i := strings.LastIndexByte(t, '.'); i >= 0 { // System.ArgumentNullException
		t = t[i+1:]
	}
	t = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, t)
	if len(t) > 80 {
		t = t[:80]
	}
	if t == "" {
		return "rejected"
	}
	return t
}

// Refusal returns the account's own words, with the type of its exception.
func (o Outcome) Refusal() string {
	switch {
	case o.ExceptionType == "":
		return o.Message
	case o.Message == "":
		return o.ExceptionType
	}
	return o.ExceptionType + ": " + o.Message
}

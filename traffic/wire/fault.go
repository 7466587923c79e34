package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Fault is why no HTTP answer came. The vocabulary is closed: FaultOf returns
// one of these. The zero value means that an answer came.
type Fault string

const (
	// FaultNone means that there was an answer.
	FaultNone Fault = ""
	// FaultTimeout means that the deadline passed.
	FaultTimeout Fault = "timeout"
	// FaultRefused means that nothing listens there.
	FaultRefused Fault = "refused"
	// FaultUnroutable means that no route leads there.
	FaultUnroutable Fault = "unroutable"
	// FaultReset means that the other side tore the connection down.
	FaultReset Fault = "reset"
	// FaultClosed means that the other side closed it without an answer.
	FaultClosed Fault = "closed"
	// FaultResolve means that the name could not be resolved.
	FaultResolve Fault = "resolve"
	// FaultAlert means that the other side sent a TLS alert.
	FaultAlert Fault = "tls-alert"
	// FaultServerIdentity means that we refused the server's certificate.
	FaultServerIdentity Fault = "server-identity"
	// FaultProtocol means that the answer was not HTTP, or not TLS.
	FaultProtocol Fault = "protocol"
	// FaultOther is an error of none of these kinds: look at its words.
	FaultOther Fault = "other"
)

// FaultOf names the kind of a transport error. A nil error is FaultNone.
//
// The order matters: a time-out of a TLS handshake is both an OpError and a
// time-out, and an alert arrives wrapped in an OpError as a reset does.
func FaultOf(err error) Fault {
	if err == nil {
		return FaultNone
	}
	if _, ok := AlertOf(err); ok {
		return FaultAlert
	}
	if isVerification(err) {
		return FaultServerIdentity
	}
	if f, ok := faultOfSystem(err); ok {
		return f
	}
	if isTimeout(err) {
		return FaultTimeout
	}
	return faultOfStream(err)
}

func faultOfSystem(err error) (Fault, bool) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return FaultResolve, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return FaultRefused, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return FaultReset, true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return FaultUnroutable, true
	}
	return FaultNone, false
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		(errors.As(err, &t) && t.Timeout())
}

func faultOfStream(err error) Fault {
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &notTLS):
		return FaultProtocol
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return FaultClosed
	// net/http has no type for these two, only words.
	case strings.Contains(err.Error(), "server closed idle connection"):
		return FaultClosed
	case strings.Contains(err.Error(), "malformed HTTP"):
		return FaultProtocol
	}
	return FaultOther
}

func isVerification(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// AlertOf returns the TLS alert that the other side sent, if err holds one.
//
// crypto/tls does not export the type it puts into its errors, but it exports
// one with the same words: so the words are looked up, by the library's own
// table and not by a copy of it.
func AlertOf(err error) (tls.AlertError, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	words := op.Err.Error()
	for code := range 256 {
		if a := tls.AlertError(code); a.Error() == words {
			return a, true
		}
	}
	return 0, false
}

package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// alert makes the error that crypto/tls makes of an alert from the other side.
// Its own type is not exported; tls.AlertError has the same words.
func alert(code uint8) error { return &net.OpError{Op: "remote error", Err: tls.AlertError(code)} }

func TestEveryTransportErrorHasOneKind(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for name, c := range map[string]struct {
		err  error
		want Fault
	}{
		"none":                           {nil, FaultNone},
		"an alert":                       {fmt.Errorf("read answer: %w", alert(48)), FaultAlert},
		"our own alert":                  {&net.OpError{Op: "local error", Err: tls.AlertError(20)}, FaultOther},
		"refused":                        {dial(syscall.ECONNREFUSED), FaultRefused},
		"no route":                       {dial(syscall.EHOSTUNREACH), FaultUnroutable},
		"no network":                     {dial(syscall.ENETUNREACH), FaultUnroutable},
		"reset":                          {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, FaultReset},
		"broken pipe":                    {&net.OpError{Op: "write", Err: syscall.EPIPE}, FaultReset},
		"closed":                         {fmt.Errorf("read answer: %w", io.ErrUnexpectedEOF), FaultClosed},
		"closed in the handshake":        {io.EOF, FaultClosed},
		"deadline of a connection":       {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, FaultTimeout},
		"deadline of a context":          {fmt.Errorf("dial: %w", context.DeadlineExceeded), FaultTimeout},
		"the kernel's own time-out":      {dial(syscall.ETIMEDOUT), FaultTimeout},
		"a name that does not resolve":   {&net.DNSError{Err: "no such host", IsNotFound: true}, FaultResolve},
		"a server we do not trust":       {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, FaultServerIdentity},
		"a server of another name":       {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "c2"}, FaultServerIdentity},
		"an answer that is not TLS":      {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, FaultProtocol},
		"an answer that is not HTTP":     {errors.New(`malformed HTTP response "SSH"`), FaultProtocol},
		"an answer with a broken status": {errors.New(`malformed HTTP status code "x"`), FaultProtocol},
		"something else":                 {errors.New("what is this"), FaultOther},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, FaultOf(c.err)) })
	}
}

func TestAlertsKeepTheirCode(t *testing.T) {
	for _, code := range []uint8{0, 40, 42, 45, 46, 48, 112, 116, 200} {
		got, ok := AlertOf(fmt.Errorf("wrapped: %w", alert(code)))
		require.True(t, ok, code)
		require.Equal(t, tls.AlertError(code), got)
	}
	_, ok := AlertOf(io.EOF)
	require.False(t, ok)
}

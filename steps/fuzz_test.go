package steps

import (
	"io/fs"
	"regexp"
	"testing"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v21"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/features"
	"github.com/meshfed/meshfed/traffic"
)

// FuzzWords: whatever stands in a feature for a caller, a refusal or bytes on
// the wire, what is understood is of the closed vocabularies, and an attack is
// never understood as no attack.
func FuzzWords(f *testing.F) {
	files, err := fs.Glob(features.FS, "*.feature")
	require.NoError(f, err)
	words := regexp.MustCompile(`with (.+?) is refused: (.+)`)
	for _, file := range files {
		content, err := fs.ReadFile(features.FS, file)
		require.NoError(f, err)
		for _, m := range words.FindAllStringSubmatch(string(content), -1) {
			f.Add(m[1], m[2], "GET /a<NUL>b", "A: b<CRLF>C: d")
		}
	}
	for _, form := range Forms() {
		f.Add("c1's certificate, "+string(form), "TLS alert unknown_ca", "GET /", "")
		f.Add("c1's certificate, "+string(form)+` by c3's own CA, at "c1.c2.example.com"`, "TLS alert unknown_ca", "GET /", "")
	}
	f.Fuzz(func(t *testing.T, caller, refused, request, header string) {
		if c, err := parseCaller(caller); err == nil {
			require.Contains(t, []Credentials{Own, Impostor, NoCertificate, Plaintext}, c.Credentials)
			require.Equal(t, c.Credentials == Own || c.Credentials == Impostor, c.Mesh != "")
		}
		if r, err := parseRefusal(refused); err == nil {
			require.NotEmpty(t, r.kinds)
			require.False(t, r.fits(traffic.Outcome{Kind: traffic.Allowed, Status: 200, Backend: traffic.Backend{Service: "reviews"}}), "an answer is no refusal: %q", refused)
		}
		table := &godog.Table{Rows: []*messages.PickleTableRow{row("attack", "caller", "request", "lines", "refusal", "source"),
			row("a", caller, request, header, refused, "s")}}
		if all, err := parseAttacks(table); err == nil {
			require.Len(t, all, 1)
		}
	})
}

func row(values ...string) *messages.PickleTableRow {
	r := &messages.PickleTableRow{}
	for _, v := range values {
		r.Cells = append(r.Cells, &messages.PickleTableCell{Value: v})
	}
	return r
}

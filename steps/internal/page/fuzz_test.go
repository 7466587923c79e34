package page_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/steps/internal/page"
)

// FuzzRead: whatever a page holds, reviews that are there look like something
// that has a name.
func FuzzRead(f *testing.F) {
	const served = `Reviews served by:</dt><dd><u>p</u> on cluster <u>c2</u>`
	for _, html := range []string{
		served, served + `<font color="red">`, served + `<font color="black">`, served + "Ratings service is currently unavailable",
		"Error fetching product reviews!", served + `<font color="green">`, "",
	} {
		f.Add(html)
	}
	f.Fuzz(func(t *testing.T, html string) {
		p, err := page.Read(html)
		if err != nil || !p.Available {
			return
		}
		require.Contains(t, []page.Stars{page.Without, page.Black, page.Red, page.Broken}, p.Stars)
		require.NotEmpty(t, p.String())
	})
}

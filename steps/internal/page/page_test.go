package page_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/steps/internal/page"
)

const by = `<dt>Reviews served by:</dt><dd><u>reviews-v2-x</u> on cluster <u>c2</u></dd>`

func TestThePageSaysWhoseReviewsItShows(t *testing.T) {
	for html, want := range map[string]string{
		by: "reviews without stars from c2",
		`<font color="black"><span/></font>` + by:              "reviews with black stars from c2",
		`<font color="red"></font>` + by:                       "reviews with red stars from c2",
		`<i>Ratings service is currently unavailable</i>` + by: "reviews with an error for stars from c2",
		`<h4>Error fetching product reviews!</h4>`:             "that reviews are unavailable",
	} {
		got, err := page.Read(html)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
	}
}

func TestWhatIsNoProductPageIsAnError(t *testing.T) {
	for _, html := range []string{"", "upstream connect error", "<html></html>"} {
		_, err := page.Read(html)
		assert.Error(t, err, html)
	}
}

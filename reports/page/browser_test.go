package page_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	shot = flag.String("shot", "", "write a screenshot of the page to this file")
	show = flag.String("page", "", "the page of -shot; default: that of the tests")
)

// browserTime is for starting the browser as well, on a busy machine.
const browserTime = 90 * time.Second

// open shows a page in a headless browser, and returns what it complains of.
func open(t *testing.T, path string) (context.Context, *[]string) {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium: install the Debian package of that name to have the page tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox)
	ctx, cancel := context.WithTimeout(t.Context(), browserTime)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	complaints := &[]string{}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			*complaints = append(*complaints, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			*complaints = append(*complaints, string(e.Type))
		case *log.EventEntryAdded:
			*complaints = append(*complaints, e.Entry.Text)
		}
	})
	require.NoError(t, chromedp.Run(ctx, log.Enable(), runtime.Enable(), chromedp.Navigate("file://"+path), chromedp.WaitVisible("#headline")))
	return ctx, complaints
}

func saved(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.html")
	require.NoError(t, os.WriteFile(path, []byte(written(t, aReport(t))), 0o644))
	return path
}

func TestInABrowserSearchFilterLinksAndKeysWork(t *testing.T) {
	ctx, complaints := open(t, saved(t))
	var all, reached, searched, filtered, jumped, focused string
	var opened bool
	for _, step := range []struct {
		name    string
		actions chromedp.Tasks
	}{
		{"count", chromedp.Tasks{chromedp.Text("#found", &all)}},
		// The key leads to the search box from anywhere.
		{"search", chromedp.Tasks{
			chromedp.KeyEvent("/"), chromedp.Evaluate(`document.activeElement.id`, &reached),
			// The protocol types the key even where a person's would be kept back.
			chromedp.Evaluate(`document.activeElement.value = ""`, nil), chromedp.KeyEvent("ONLY acl"),
			chromedp.Text("#found", &searched), chromedp.KeyEvent(kb.Escape),
		}},
		{"filter", chromedp.Tasks{
			chromedp.Click(`button[data-verdict="failed"]`), chromedp.Text("#found", &filtered), chromedp.Click(`button[data-verdict="failed"]`),
		}},
		// A link from a figure opens the scenario that it is of.
		{"link", chromedp.Tasks{
			chromedp.Evaluate(`document.querySelector("#splits a").click()`, nil),
			chromedp.Poll(`document.getElementById("expose/a").open`, &opened),
			chromedp.Evaluate(`decodeURIComponent(location.hash)`, &jumped),
		}},
		{"keys", chromedp.Tasks{chromedp.KeyEvent("j"), chromedp.Evaluate(`document.activeElement.tagName`, &focused)}},
	} {
		require.NoError(t, chromedp.Run(ctx, step.actions), step.name)
	}
	assert.Equal(t, "3 of 3 scenarios shown", all)
	assert.Equal(t, "search", reached)
	assert.Equal(t, "1 of 3 scenarios shown", searched)
	assert.Equal(t, "2 of 3 scenarios shown", filtered)
	assert.True(t, opened)
	assert.Equal(t, "#expose/a", jumped)
	assert.Equal(t, "SUMMARY", focused)
	assert.Empty(t, *complaints, "the console")
}

func TestOnAPhoneNothingIsWiderThanTheScreen(t *testing.T) {
	ctx, complaints := open(t, saved(t))
	var width int
	require.NoError(t, chromedp.Run(ctx,
		emulation.SetDeviceMetricsOverride(360, 740, 2, true),
		chromedp.Evaluate(`document.querySelectorAll("details").forEach((d) => d.open = true)`, nil),
		chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
	))
	assert.LessOrEqual(t, width, 360)
	assert.Empty(t, *complaints)
}

// TestScreenshot makes the picture of the README:
// go test ./reports/page -run Screenshot -shot "$PWD/docs/report.png" -page "$PWD/out/latest/index.html"
func TestScreenshot(t *testing.T) {
	if *shot == "" {
		t.Skip("no -shot: nothing to write")
	}
	path := *show
	if path == "" {
		path = saved(t)
	}
	ctx, _ := open(t, path)
	var picture []byte
	require.NoError(t, chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(1200, 1500, 1, false), chromedp.CaptureScreenshot(&picture)))
	require.NoError(t, os.WriteFile(*shot, picture, 0o644))
}

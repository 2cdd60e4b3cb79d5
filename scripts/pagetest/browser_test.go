package pagetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a window in which a page is looked at, and what the page did there that
// it must not do.
type browser struct {
	context context.Context

	lock sync.Mutex
	did  []string
}

// patience is how long one look at a page takes at most.
const patience = time.Minute

// openBrowser starts Chromium. Its sandbox does not work for root, whom tests run as.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("no-proxy-server", true))
	if path := os.Getenv("CHROMIUM"); path != "" {
		flags = append(flags, chromedp.ExecPath(path))
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(cancelAllocator)
	window, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{context: window}
	if err := chromedp.Listen(window, b.listen); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, page.Enable, page.EnableParams{})
	return b
}

// do has the browser do things.
func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	within, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	if err := chromedp.Do(within, actions...); err != nil {
		t.Fatal(err)
	}
}

// call gives the browser a command of its protocol.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) R {
	t.Helper()
	within, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	result, err := chromedp.Call(within, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// listen takes in what a page does.
func (b *browser) listen(event any) {
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := event.Request.URL; !strings.HasPrefix(u, "file://") {
			b.note("asks for " + u)
		}
	case *log.EventEntryAdded:
		b.note("has the browser say: " + event.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.note("writes to the console")
	case *runtime.EventExceptionThrown:
		b.note("fails: " + event.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		b.note("opens a dialog: " + event.Message)
	}
}

func (b *browser) note(what string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.did = append(b.did, what)
}

// taken returns what was noted, and forgets it.
func (b *browser) taken() []string {
	b.lock.Lock()
	defer b.lock.Unlock()
	did := b.did
	b.did = nil
	return did
}

// look is how a page is looked at.
type look struct {
	scheme string // light or dark
	width  int64
}

func looks() []look {
	return []look{{"light", 1280}, {"dark", 1280}, {"light", 360}, {"dark", 360}}
}

func (l look) String() string { return fmt.Sprintf("%s-%d", l.scheme, l.width) }

// load opens a file.
func (b *browser) load(t *testing.T, file string, l look) {
	t.Helper()
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	b.emulate(t, "", l.scheme)
	call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: 900, DeviceScaleFactor: 1, Mobile: l.width < 500,
	})
	b.do(t, chromedp.Navigate((&url.URL{Scheme: "file", Path: absolute}).String()), chromedp.WaitReady("footer"))
}

// emulate sets what the style asks for: the medium, as screen without one, and the
// scheme of colours.
func (b *browser) emulate(t *testing.T, medium, scheme string) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// evaluate asks the page.
func evaluate[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	within, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	answer, err := chromedp.Run(within, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// settle waits until what was changed is drawn.
func (b *browser) settle(t *testing.T) {
	t.Helper()
	within, cancel := context.WithTimeout(b.context, patience)
	defer cancel()
	const drawn = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
	if _, err := chromedp.Run(within, chromedp.Evaluate[bool](drawn, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// unfold opens all that is folded.
func (b *browser) unfold(t *testing.T) {
	t.Helper()
	evaluate[int](t, b, `(() => { const all = document.querySelectorAll("details"); all.forEach(d => d.open = true); return all.length })()`)
	b.settle(t)
}

// shoot keeps a picture of the page's first so many pixels.
func (b *browser) shoot(t *testing.T, file string, width int64) {
	t.Helper()
	const most = 5000
	height := min(most, evaluate[int64](t, b, "document.documentElement.scrollHeight"))
	beyond := true
	picture := call(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: float64(width), Height: float64(height), Scale: 1},
	})
	keep(t, file, picture.Data)
}

// keep writes a file where the pages are.
func keep(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(pagesDir(t), file), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

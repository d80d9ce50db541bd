//go:build unix

package sandbox

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser speaks the DevTools protocol with a headless browser over a pair of
// pipes: one JSON message each way, ended by a zero byte.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	last    int
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	if os.Getenv("LEADLOAD_BROWSER") == "" {
		t.Skip("LEADLOAD_BROWSER is not set: no browser is asked for")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("LEADLOAD_BROWSER is set, but no chromium, chromium-browser or google-chrome is on PATH")
	}
	theirs, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir())
	c.ExtraFiles = []*os.File{theirs, theirOut}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end its children too
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	theirOut.Close()
	b := &browser{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		// Killed at once, its children would still write into the folder that the
		// test is about to remove.
		to.Write([]byte(`{"id":0,"method":"Browser.close"}` + "\x00"))
		late := time.AfterFunc(20*time.Second, func() { syscall.Kill(-c.Process.Pid, syscall.SIGKILL) })
		c.Wait()
		late.Stop()
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // children that stayed behind
		to.Close()
		from.Close()
	})
	from.SetReadDeadline(time.Now().Add(60 * time.Second))
	return b
}

// do sends a command and stores its result; it skips events in between.
func (b *browser) do(method string, params map[string]any, into any) {
	b.t.Helper()
	b.last++
	message := map[string]any{"id": b.last, "method": method, "params": params}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	out, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(out, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		in, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var got struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := json.Unmarshal(bytes.TrimRight(in, "\x00"), &got); err != nil {
			b.t.Fatal(err)
		}
		if got.ID != b.last {
			continue
		}
		if got.Error != nil {
			b.t.Fatalf("%s: %s", method, got.Error)
		}
		if into != nil {
			if err := json.Unmarshal(got.Result, into); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// open loads a page of its own.
func (b *browser) open(url string) {
	b.t.Helper()
	var target struct{ TargetID string }
	// The size is set below: Chromium 156 refuses it here for a tab.
	b.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.do("Page.navigate", map[string]any{"url": url}, nil)
}

// eval returns the value of an expression as text. It waits for a promise.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.do("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return fmt.Sprint(got.Result.Value)
}

// until waits for an expression to be true; the page refreshes every second.
func (b *browser) until(expression string) {
	b.t.Helper()
	wait := fmt.Sprintf(`new Promise((done, fail) => {
		const end = Date.now() + 15000;
		(function look() {
			if (document.body && (%s)) return done(true);
			if (Date.now() > end) return fail(document.body.innerText.slice(0, 2000));
			setTimeout(look, 50);
		})();
	})`, expression)
	b.eval(wait)
}

// TestPageInABrowser opens the page, sends records while it is open, and compares
// what the page shows. It runs when LEADLOAD_BROWSER is set to any value.
// SANDBOX_SHOT=file.png keeps the picture.
func TestPageInABrowser(t *testing.T) {
	b := openBrowser(t)
	a, err := Start(Options{Calls: 25})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := &tester{t, a}
	b.open(a.URL())
	b.until(`document.body.dataset.live === "yes"`)
	if got := b.eval(`getComputedStyle(document.querySelector("#empty")).display + " " + document.querySelector("#presence").textContent`); got != "block not checked in" {
		t.Errorf("an empty account shows %q", got)
	}

	s.post(userPath+"CheckIn", `{"Source":"API","AvailabilityStatus":"Online"}`).has(t, 200)
	for i := range 40 {
		s.capture(fmt.Sprintf("lead%d@example.com", i%7), "mx_Custom_1", fmt.Sprintf("Deal %d <b>bold</b>", i), "mx_Custom_6", "1200.50", "Status", []string{"Open", "Won", "Lost"}[i%3])
	}
	b.until(`document.querySelector("#opportunities").textContent === "24"`)
	for expression, want := range map[string]string{
		`document.querySelector("#limited").textContent`:                                          "16",
		`document.querySelector("#leads").textContent`:                                            "7",
		`document.querySelector("#limit").textContent`:                                            "limit 25 in any 5 s",
		`document.querySelector("#presence").textContent.slice(0, 24)`:                            "checked in, Online since",
		`document.querySelectorAll("#records tr").length`:                                         "24",
		`document.querySelector("#records tr").cells[2].textContent`:                              "lead2@example.com",
		`document.querySelector("#records tr").cells[6].textContent`:                              "Opportunity Name: Deal 23 <b>bold</b> · Expected Deal Size: 1200.50",
		`document.querySelectorAll("#records b").length`:                                          "0",
		`document.querySelectorAll("svg .limited").length > 0`:                                    "true",
		`document.documentElement.scrollWidth <= innerWidth`:                                      "true",
		`getComputedStyle(document.querySelector("#empty")).display`:                              "none",
		`performance.getEntriesByType("resource").every(e => e.name.startsWith(location.origin))`: "true",
	} {
		if got := b.eval(expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}

	// A full window stands on the line of the limit and not above it.
	if got := b.eval(`(() => { const line = +document.querySelector("svg .limit").getAttribute("y1");
		return Math.min(...[...document.querySelectorAll("svg .call")].map(r => +r.getAttribute("y"))) >= line - 0.01; })()`); got != "true" {
		t.Error("a burst that fills the window is drawn above the limit")
	}
	// Search, the same record twice, its details, an edit and its history.
	id, err := a.AddOpportunity(a.Leads()[0].ID, 12000, "", map[string]string{"mx_Custom_1": "Twin"})
	if err == nil {
		_, err = a.AddOpportunity(a.Leads()[0].ID, 12000, "", map[string]string{"mx_Custom_1": "Twin"})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.eval(`(() => { const s = document.querySelector("#search"); s.value = "twin"; s.dispatchEvent(new Event("input")); })()`)
	b.until(`document.querySelectorAll("#records tr.record").length === 2 && document.querySelectorAll("#records .twice").length === 2`)
	b.eval(`document.querySelector('[data-id="` + id + `"]').click()`)
	b.until(`document.querySelector(".details").textContent.includes("Opportunity Name (mx_Custom_1)")`)
	b.eval(`(() => { const d = document.querySelector(".details .edit"); d.querySelector("select").value = "mx_Custom_1"; d.querySelector("input").value = "Twin by hand"; d.querySelector("button").click(); })()`)
	b.until(`document.querySelectorAll("#records .twice").length === 0 && document.querySelector(".history").textContent.includes("changed by a person: Opportunity Name: Twin")`)
	if rs := a.Revisions(id); len(rs) != 1 || rs[0].By != "a person" {
		t.Errorf("revisions %+v", rs)
	}

	var shot struct{ Data string }
	b.do("Page.captureScreenshot", nil, &shot)
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || c.Width != 1280 {
		t.Errorf("picture %+v, %v", c, err)
	}
	keep := os.Getenv("SANDBOX_SHOT")
	if keep != "" {
		if err := os.WriteFile(keep, picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// On a phone nothing is wider than the screen.
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true}, nil)
	b.eval(`(() => { const s = document.querySelector("#search"); s.value = ""; s.dispatchEvent(new Event("input")); })()`)
	b.until(`document.querySelectorAll("#records tr.record").length === 26`)
	if got := b.eval(`document.documentElement.scrollWidth <= innerWidth`); got != "true" {
		t.Errorf("on a phone the page is %s wide", b.eval(`document.documentElement.scrollWidth`))
	}
	if keep != "" {
		b.do("Page.captureScreenshot", nil, &shot)
		if picture, err = base64.StdEncoding.DecodeString(shot.Data); err == nil {
			err = os.WriteFile(strings.TrimSuffix(keep, ".png")+"-phone.png", picture, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	a.SetOutage(Outage503)
	b.until(`!document.querySelector("#outage").hidden`)
	if got := b.eval(`document.querySelector("#outage").textContent`); !strings.Contains(got, "503") {
		t.Errorf("an outage shows %q", got)
	}
	a.Close()
	b.until(`!document.querySelector("#gone").hidden`)
}

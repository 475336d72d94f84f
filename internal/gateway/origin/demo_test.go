package origin

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// post sends a prompt through a transport.
func post(t *testing.T, h http.Handler, prompt string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://demo/v1/messages",
		strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"`+prompt+`"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := Transport{h}.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestDemo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		first, second := post(t, NewDemo(), "status=500"), post(t, NewDemo(), "status=500")
		got, err := io.ReadAll(first.Body)
		if err != nil || first.StatusCode != http.StatusOK {
			t.Fatalf("%s and %v", first.Status, err)
		}
		if text := collect(t, string(got))["text"]; text != demoText || !strings.HasPrefix(text, "This is the **demo upstream**") {
			t.Errorf("the text is\n%s", text)
		}
		if took := time.Since(begun); took != time.Duration(len(tokenize(demoText)))*demoGap {
			t.Errorf("the answer took %v", took)
		}
		if again, err := io.ReadAll(second.Body); err != nil || string(again) == string(got) {
			t.Errorf("%v, or two answers have one id", err)
		}
	})
}

func TestTransport(t *testing.T) {
	o := New("")
	response := post(t, o, "stall=2")
	if got := response.Header.Get("Request-Id"); !strings.HasPrefix(got, "req_") {
		t.Errorf("the number of the request is %q", got)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Await(t.Context(), func(c Counts) bool { return c == Counts{Requests: 1, Left: 1} }); err != nil {
		t.Error(err)
	}
	cut, err := io.ReadAll(post(t, o, "cut=2").Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Count(string(cut), "data: ") != 2 {
		t.Errorf("%v after\n%s", err, cut)
	}
	if refused := post(t, o, "status=429"); refused.StatusCode != http.StatusTooManyRequests {
		t.Errorf("refused with %s", refused.Status)
	} else if _, err := io.ReadAll(refused.Body); err != nil {
		t.Error(err)
	}
}

package notify

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// The first vector is that of the Standard Webhooks libraries; the others were made
// with another implementation of HMAC.
func TestSignatures(t *testing.T) {
	text, err := os.ReadFile("testdata/signatures.json")
	ok(t, err)
	var vectors []struct {
		Secret, ID, Body, Signature string
		Timestamp                   int64
	}
	ok(t, json.Unmarshal(text, &vectors))
	for _, v := range vectors {
		got, err := sign(v.Secret, v.ID, time.Unix(v.Timestamp, 0), []byte(v.Body))
		ok(t, err)
		if got != v.Signature {
			t.Errorf("%s: %s, want %s", v.ID, got, v.Signature)
		}
	}
	if _, err := sign("whsec_!", "id", time.Now(), nil); err == nil {
		t.Error("a secret that is no base64 signs")
	}
}

// A delivery is tried for about a day, ever more slowly, and then given up.
func TestAttemptsLastADay(t *testing.T) {
	total, before := time.Duration(0), time.Duration(0)
	n := 1
	for ; ; n++ {
		wait, more := again(n)
		if !more {
			break
		}
		if wait < waits[n-1]*9/10 || wait > waits[n-1]*11/10 || waits[n-1] <= before {
			t.Errorf("attempt %d: wait %s", n, wait)
		}
		before = waits[n-1]
		total += wait
	}
	if n != len(waits)+1 || total < 20*time.Hour || total > 28*time.Hour {
		t.Errorf("%d attempts in %s", n, total)
	}
	a, _ := again(9)
	b, _ := again(9)
	c, _ := again(9)
	if a == b && b == c {
		t.Error("there is no chance in the waits")
	}
}

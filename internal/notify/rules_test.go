package notify

import (
	"encoding/json"
	"net/netip"
	"net/url"
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

func TestAddressesThatHooksReach(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "8.8.8.8": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.100.100.200": false, "168.63.129.16": false, "224.0.0.1": false, "255.255.255.255": false,
		"198.18.0.1": false, "192.0.2.1": false, "203.0.113.9": false, "240.0.0.1": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "::7f00:1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "2001:db8::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": true, "2002:7f00:1::": false, "2002:a00:1::": false, "2002:808:808::": true,
	} {
		if got := reachable(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: reachable %v, want %v", text, got, want)
		}
	}
	if reachable(netip.Addr{}) {
		t.Error("no address is reachable")
	}
}

func TestURLsOfHooks(t *testing.T) {
	for text, want := range map[string]bool{
		"https://hooks.example.com/a?b=c": true, " https://hooks.example.com ": true, "https://93.184.216.34:8443/x": true,
		"http://hooks.example.com": false, "ftp://hooks.example.com": false, "hooks.example.com": false, "": false, "https://": false, "https:///x": false,
		"https://user:pass@hooks.example.com": false, "https://hooks.example.com/#x": false, "https://127.0.0.1": false, "https://[::1]:8080/": false,
		"https://169.254.169.254/latest/meta-data": false, "javascript:alert(1)": false, "https:hooks": false, "https://:443/": false,
	} {
		if _, err := cleanURL(text, false); (err == nil) != want {
			t.Errorf("%q: %v, want good %v", text, err, want)
		}
	}
	if _, err := cleanURL("http://127.0.0.1:8080/x", true); err != nil {
		t.Errorf("a node whose operator allows it: %v", err)
	}
}

func FuzzURL(f *testing.F) {
	f.Add("https://hooks.example.com/a?b=c")
	f.Add("https://[::ffff:7f00:1]/")
	f.Fuzz(func(t *testing.T, text string) {
		clean, err := cleanURL(text, false)
		if err != nil {
			return
		}
		u, err := url.Parse(clean)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q became %q", text, clean)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !reachable(ip) {
			t.Errorf("%q leads to %s", text, ip)
		}
	})
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

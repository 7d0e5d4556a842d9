package outbound

import (
	"net/netip"
	"net/url"
	"testing"
)

func TestReachable(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "8.8.8.8": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.100.100.200": false, "168.63.129.16": false, "224.0.0.1": false, "255.255.255.255": false,
		"198.18.0.1": false, "192.0.2.1": false, "203.0.113.9": false, "240.0.0.1": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "::7f00:1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "2001:db8::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": true, "2002:7f00:1::": false, "2002:a00:1::": false, "2002:808:808::": true,
	} {
		if got := Reachable(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: reachable %v, want %v", text, got, want)
		}
	}
	if Reachable(netip.Addr{}) {
		t.Error("no address is reachable")
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]bool{
		"https://hooks.example.com/a?b=c": true, " https://hooks.example.com ": true, "https://93.184.216.34:8443/x": true,
		"http://hooks.example.com": false, "ftp://hooks.example.com": false, "hooks.example.com": false, "": false, "https://": false, "https:///x": false,
		"https://user:pass@hooks.example.com": false, "https://hooks.example.com/#x": false, "https://127.0.0.1": false, "https://[::1]:8080/": false,
		"https://169.254.169.254/latest/meta-data": false, "javascript:alert(1)": false, "https:hooks": false, "https://:443/": false,
	} {
		if _, err := Clean(text, "https://example.com", false); (err == nil) != want {
			t.Errorf("%q: %v, want good %v", text, err, want)
		}
	}
	if _, err := Clean("http://127.0.0.1:8080/x", "", true); err != nil {
		t.Errorf("a node whose operator allows it: %v", err)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("https://hooks.example.com/a?b=c")
	f.Add("https://[::ffff:7f00:1]/")
	f.Fuzz(func(t *testing.T, text string) {
		clean, err := Clean(text, "https://example.com", false)
		if err != nil {
			return
		}
		u, err := url.Parse(clean)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q became %q", text, clean)
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !Reachable(ip) {
			t.Errorf("%q leads to %s", text, ip)
		}
	})
}

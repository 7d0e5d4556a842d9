package node

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// Of a peer that is not trusted no header counts; of a trusted one, the last address
// that is not trusted itself. What a client writes into the headers never does.
func TestWhereARequestCameFrom(t *testing.T) {
	trusted, err := ParseProxies([]string{"10.0.0.0/8", "fd00::/16", "203.0.113.7"})
	if err != nil {
		t.Fatal(err)
	}
	const client, spoofed = "198.51.100.9", "192.0.2.66"
	for name, c := range map[string]struct {
		peer   string
		header http.Header
		want   string
		scheme string
	}{
		"nobody in between":                {client + ":4711", nil, client + ":4711", ""},
		"a client that spoofs":             {client + ":4711", http.Header{"X-Forwarded-For": {spoofed}, "Forwarded": {"for=" + spoofed}, "X-Forwarded-Proto": {"https"}}, client + ":4711", ""},
		"a proxy that says nothing":        {"10.1.1.1:80", nil, "10.1.1.1:80", ""},
		"one proxy":                        {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client}, "X-Forwarded-Proto": {"https"}}, client + ":0", "https"},
		"one proxy, with port":             {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client + ":555"}}, client + ":0", ""},
		"one proxy, spoofed before":        {"10.1.1.1:80", http.Header{"X-Forwarded-For": {spoofed + ", " + client}, "X-Forwarded-Proto": {"http, https"}}, client + ":0", "https"},
		"spoofed on a line of its own":     {"10.1.1.1:80", http.Header{"X-Forwarded-For": {spoofed, client}}, client + ":0", ""},
		"spoofed as one of the proxies":    {"10.1.1.1:80", http.Header{"X-Forwarded-For": {"10.9.9.9, " + client}}, client + ":0", ""},
		"two proxies":                      {"10.1.1.1:80", http.Header{"X-Forwarded-For": {spoofed + "," + client + ",203.0.113.7"}}, client + ":0", ""},
		"only proxies":                     {"10.1.1.1:80", http.Header{"X-Forwarded-For": {"10.2.2.2, 10.3.3.3"}}, "10.2.2.2:0", ""},
		"rubbish at the end":               {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client + ", rubbish"}}, "10.1.1.1:80", ""},
		"rubbish before":                   {"10.1.1.1:80", http.Header{"X-Forwarded-For": {"rubbish, " + client}}, client + ":0", ""},
		"an empty end":                     {"10.1.1.1:80", http.Header{"X-Forwarded-For": {spoofed + ","}}, "10.1.1.1:80", ""},
		"an unknown scheme":                {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client}, "X-Forwarded-Proto": {"javascript"}}, client + ":0", ""},
		"RFC 7239":                         {"10.1.1.1:80", http.Header{"Forwarded": {`for=` + spoofed + `;proto=http, for="` + client + `:88";proto=https;by=10.1.1.1`}}, client + ":0", "https"},
		"RFC 7239, IPv6":                   {"[fd00::1]:80", http.Header{"Forwarded": {`For="[2001:db8:cafe::17]:4711"`}}, "[2001:db8:cafe::17]:0", ""},
		"RFC 7239, a name made up":         {"10.1.1.1:80", http.Header{"Forwarded": {`for=` + spoofed + `, for=_hidden`}}, "10.1.1.1:80", ""},
		"RFC 7239, a comma in quotes":      {"10.1.1.1:80", http.Header{"Forwarded": {`for="` + spoofed + `, for=` + spoofed + `";x="\", for=1.1.1.1"`}}, "10.1.1.1:80", ""},
		"both, agreed":                     {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client}, "Forwarded": {"for=" + client + ";proto=https"}}, client + ":0", "https"},
		"both, one spoofed":                {"10.1.1.1:80", http.Header{"X-Forwarded-For": {client}, "Forwarded": {"for=" + spoofed}}, "10.1.1.1:80", ""},
		"IPv4 in IPv6":                     {"[::ffff:10.1.1.1]:80", http.Header{"X-Forwarded-For": {"::ffff:" + client}}, client + ":0", ""},
		"a neighbour of the trusted proxy": {"203.0.113.8:80", http.Header{"X-Forwarded-For": {spoofed}}, "203.0.113.8:80", ""},
	} {
		var got, scheme string
		h := trusted.behind(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, scheme = r.RemoteAddr, r.URL.Scheme }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		for k, v := range c.header {
			r.Header[k] = v
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want || scheme != c.scheme {
			t.Errorf("%s: %s by %q, want %s by %q", name, got, scheme, c.want, c.scheme)
		}
	}
	for _, wrong := range []string{"", "ten", "10.0.0.0/33", "::ffff:10.0.0.0/104", "fe80::1%eth0"} {
		if _, err := ParseProxies([]string{wrong}); err == nil {
			t.Errorf("%q is taken for a network", wrong)
		}
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add("10.2.2.2, 1.2.3.4", `for="[2001:db8::1]:80";proto=https, for=1.2.3.4`)
	f.Add(`"\`, `for="\`)
	f.Fuzz(func(t *testing.T, a, b string) {
		trusted := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
		peer := netip.MustParseAddr("10.1.1.1")
		for _, h := range []http.Header{{"X-Forwarded-For": {a}}, {"Forwarded": {b}}, {"X-Forwarded-For": {a}, "Forwarded": {b}}} {
			// Whatever was there before, the last address was written by the proxy itself.
			for k := range h {
				end := ",198.51.100.9"
				if k == "Forwarded" {
					end = ",for=198.51.100.9"
				}
				h[k] = []string{h[k][0], end[1:]}
			}
			got, _ := trusted.origin(peer, h)
			if len(h) == 1 && h.Get("Forwarded") == "" && got.String() != "198.51.100.9" {
				t.Errorf("%v came from %s", h, got)
			}
			if !got.IsValid() {
				t.Errorf("%v came from nowhere", h)
			}
		}
	})
}

package node

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/entente-project/entente"
)

// Proxies are the networks of those proxies that the operator trusts to tell from
// where a request came. Of everybody else, what a request says of itself is ignored.
type Proxies []netip.Prefix

// maxForwarded bounds how many addresses of a request's way are looked at.
const maxForwarded = 50

// ParseProxies reads the operator's list: networks like 10.0.0.0/8, or single addresses.
func ParseProxies(list []string) (Proxies, error) {
	var all Proxies
	for _, text := range list {
		text = strings.TrimSpace(text)
		network, err := netip.ParsePrefix(text)
		if err != nil {
			ip, failed := netip.ParseAddr(text)
			if failed != nil || ip.Zone() != "" {
				return nil, entente.Invalid("%.60q is no network of a trusted proxy; write it like 10.1.2.0/24 or 10.1.2.3", text)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, entente.Invalid("%.60q is a network of IPv4 written as IPv6; write it as IPv4", text)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

func (p Proxies) trust(ip netip.Addr) bool {
	for _, network := range p {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// behind makes both doors see the request as it reached the outermost trusted proxy:
// its RemoteAddr, and in URL.Scheme by which scheme it came there.
func (p Proxies) behind(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.trust(peer.Addr().Unmap()) {
			next.ServeHTTP(w, r)
			return
		}
		client, scheme := p.origin(peer.Addr().Unmap(), r.Header)
		r = r.Clone(r.Context())
		if client != peer.Addr().Unmap() {
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		r.URL.Scheme = scheme
		next.ServeHTTP(w, r)
	})
}

// passage is one step of a request's way, as a proxy tells it.
type passage struct {
	from   netip.Addr // not valid where it cannot be read
	scheme string
}

// origin gives from where a request came that a trusted peer handed over: going back
// from the peer, the first address that is not a trusted proxy. What stands before
// that, anybody may have written. Proxies write one of two headers and hand the other
// on as it came; so where there are both and they disagree, neither is believed.
func (p Proxies) origin(peer netip.Addr, h http.Header) (netip.Addr, string) {
	first, second := h.Values("X-Forwarded-For"), h.Values("Forwarded")
	switch {
	case len(first) > 0 && len(second) > 0:
		a, schemeA := p.walk(peer, forwardedFor(first, h.Values("X-Forwarded-Proto")))
		b, schemeB := p.walk(peer, forwarded(second))
		if a != b {
			return peer, ""
		}
		if schemeA == "" {
			schemeA = schemeB
		}
		return a, schemeA
	case len(second) > 0:
		return p.walk(peer, forwarded(second))
	}
	return p.walk(peer, forwardedFor(first, h.Values("X-Forwarded-Proto")))
}

// walk goes back along the way, from its end.
func (p Proxies) walk(peer netip.Addr, way []passage) (netip.Addr, string) {
	at, scheme := peer, ""
	for i := len(way) - 1; i >= max(0, len(way)-maxForwarded) && p.trust(at); i-- {
		if way[i].scheme != "" {
			scheme = way[i].scheme
		}
		if !way[i].from.IsValid() {
			break
		}
		at = way[i].from
	}
	return at, scheme
}

// forwardedFor reads X-Forwarded-For. The scheme, of which the nearest proxy tells,
// stands in a header of its own.
func forwardedFor(lines, schemes []string) []passage {
	var way []passage
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if part = strings.TrimSpace(part); part != "" || len(lines) > 0 {
			way = append(way, passage{from: addressOf(part)})
		}
	}
	if len(way) == 0 {
		way = append(way, passage{})
	}
	all := strings.Split(strings.Join(schemes, ","), ",")
	way[len(way)-1].scheme = schemeOf(all[len(all)-1])
	return way
}

// forwarded reads Forwarded, as RFC 7239 lays it down.
func forwarded(lines []string) []passage {
	var way []passage
	for _, element := range split(strings.Join(lines, ","), ',') {
		var one passage
		for _, pair := range split(element, ';') {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			switch strings.ToLower(name) {
			case "for":
				one.from = addressOf(unquoted(value))
			case "proto":
				one.scheme = schemeOf(unquoted(value))
			}
		}
		way = append(way, one)
	}
	return way
}

// split cuts a text at a mark that does not stand within quotes.
func split(text string, mark byte) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == mark && !quoted:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[min(from, len(text)):])
}

func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return strings.ReplaceAll(s[1:len(s)-1], `\`, "")
	}
	return s
}

// addressOf reads an address with or without a port; not valid where there is none,
// as for names that a proxy made up.
func addressOf(s string) netip.Addr {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.Addr().Unmap().WithZone("")
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func schemeOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "http" || s == "https" {
		return s
	}
	return ""
}

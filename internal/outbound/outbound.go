package outbound

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	entente "github.com/entente-project/entente"
)

// ErrClosed is the cause where an address is not one of the internet's.
var ErrClosed = errors.New("the name leads to a private network or to the node itself")

// Client makes a client whose whole request takes at most the time. Where a name
// leads is checked when the connection is made, so that no answer of a name server
// can lead elsewhere than what was checked. Redirects are not followed, and no proxy
// of the environment is used. allowPrivate leaves the check out.
func Client(allowPrivate bool, limit time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if !Reachable(at.Addr()) {
				return ErrClosed
			}
			return nil
		}
	}
	return &http.Client{
		Timeout:       limit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: limit,
			MaxResponseHeaderBytes: 32 << 10, MaxIdleConns: 64, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}

// Clean checks an address as somebody wrote it; example shows how to write one.
// Where its name leads is seen when it is called.
func Clean(text, example string, allowPrivate bool) (string, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	switch {
	case len(text) > 1000:
		return "", entente.TooLarge("the address is longer than 1000 characters")
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "", entente.Invalid("the address is not a URL; write it like %s", example)
	case u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate):
		return "", entente.Invalid("the address must begin with https://")
	case u.User != nil:
		return "", entente.Invalid("the address must not hold a name or a password; the signature tells that the message is ours")
	case u.Fragment != "":
		return "", entente.Invalid("the address must not hold a # and what follows")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !allowPrivate && !Reachable(ip) {
		return "", entente.Invalid("the address %s belongs to a private network or to the node itself; take one that can be reached from outside", ip)
	}
	return u.String(), nil
}

// Why says in words why no answer came within the limit, without the address, which
// may hold a secret.
func Why(err error, limit time.Duration) entente.Message {
	var timeout interface{ Timeout() bool }
	var name *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ErrClosed):
		return entente.Say("the name leads to a private network or to the node itself; it was not called")
	case errors.As(err, &timeout) && timeout.Timeout():
		return entente.Say("no answer within %d seconds", int(limit.Seconds()))
	case errors.As(err, &name):
		return entente.Say("the name of the address is not known")
	case errors.As(err, &cert):
		return entente.Say("the certificate of the receiver is not valid for the address")
	case errors.Is(err, syscall.ECONNREFUSED):
		return entente.Say("the receiver refused the connection")
	case errors.As(err, &op):
		return entente.Say("the connection failed")
	}
	return entente.Say("the connection was broken off")
}

// closed are networks that are not the internet's: private, this machine's, this
// link's, those of clouds for their machines, and those kept for documents and tests.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
	"::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

// The networks of IPv6 that carry an address of IPv4, and at which byte it stands.
var carriers = []struct {
	within netip.Prefix
	at     int
}{{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}}

func prefixes(all ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// Reachable says whether an address given from outside may lead there.
func Reachable(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range closed {
		if p.Contains(ip) {
			return false
		}
	}
	for _, c := range carriers {
		if c.within.Contains(ip) {
			b := ip.As16()
			return Reachable(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return ip.IsValid()
}

package identity

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// providers keeps what providers of single sign-on say of themselves, for an hour.
type providers struct {
	client *http.Client
	mu     sync.Mutex
	known  map[string]knownProvider
}

type knownProvider struct {
	p     *oidc.Provider
	until time.Time
}

const (
	providerLife = time.Hour
	maxProviders = 1000
	maxReply     = 1 << 20 // bytes of any reply of a provider
)

func newProviders(client *http.Client) *providers {
	if client == nil {
		client = &http.Client{Transport: guardedTransport()}
	}
	bounded := *client
	if bounded.Transport == nil {
		bounded.Transport = http.DefaultTransport
	}
	bounded.Transport = bound{bounded.Transport}
	bounded.Timeout = 10 * time.Second
	return &providers{client: &bounded, known: map[string]knownProvider{}}
}

// context makes the libraries use the bounded client.
func (p *providers) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// get asks a provider who it is, or remembers it.
func (p *providers) get(ctx context.Context, issuer string) (*oidc.Provider, error) {
	p.mu.Lock()
	found, ok := p.known[issuer]
	p.mu.Unlock()
	if ok && time.Now().Before(found.until) {
		return found.p, nil
	}
	provider, err := oidc.NewProvider(p.context(ctx), issuer)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxProviders {
		clear(p.known)
	}
	p.known[issuer] = knownProvider{provider, time.Now().Add(providerLife)}
	return provider, nil
}

// guardedTransport reaches no address of this machine and none of the services that
// clouds offer to their machines: the owner of one organisation names the provider,
// and must not use the node to look behind its walls.
func guardedTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = http.ProxyFromEnvironment
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := at.Addr().Unmap(); !outside(ip) {
			return fmt.Errorf("the address %s belongs to this machine or its surroundings", ip)
		}
		return nil
	}}
	t.DialContext = dialer.DialContext
	return t
}

// cloudMetadata are the fixed addresses of cloud services that are not link-local.
var cloudMetadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16")}

// outside says whether a provider may be at the address. Private networks are
// allowed: many organisations run their provider there.
func outside(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return false
	}
	for _, known := range cloudMetadata {
		if ip == known {
			return false
		}
	}
	return true
}

// bound cuts replies off that are too long.
type bound struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxReply), resp.Body}
	return resp, nil
}

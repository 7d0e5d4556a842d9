// Package vault is the only one that touches private keys. It makes them, seals them
// with the node's key, and signs; nothing gives one out unsealed.
package vault

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity/seal"
)

// Make makes an Ed25519 key of an organisation, sealed for it alone.
func Make(node seal.Key, org entente.OrgID) (public entente.PublicKey, sealed []byte, err error) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	sealed, err = node.Seal(private.Seed(), place(org, entente.PublicKey(pub)))
	return entente.PublicKey(pub), sealed, err
}

// Open gives what signs with a sealed key.
func Open(node seal.Key, org entente.OrgID, public entente.PublicKey, sealed []byte) (entente.Signer, error) {
	seed, err := node.Open(sealed, place(org, public))
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("the sealed key is no Ed25519 key")
	}
	return signer{ed25519.NewKeyFromSeed(seed)}, nil
}

// Move seals a key for another organisation under another node's key, for one that
// moves there.
func Move(from, to seal.Key, org, as entente.OrgID, public entente.PublicKey, sealed []byte) ([]byte, error) {
	seed, err := from.Open(sealed, place(org, public))
	if err != nil {
		return nil, err
	}
	return to.Seal(seed, place(as, public))
}

// place is what a key is sealed for.
func place(org entente.OrgID, public entente.PublicKey) string {
	return "exchange " + string(org) + " " + string(public.ID())
}

type signer struct{ private ed25519.PrivateKey }

// Key is the public half.
func (s signer) Key() entente.PublicKey {
	return entente.PublicKey(s.private.Public().(ed25519.PublicKey))
}

// Sign signs a message.
func (s signer) Sign(message []byte) ([]byte, error) { return ed25519.Sign(s.private, message), nil }

// String keeps the key out of logs.
func (signer) String() string { return "a private key" }

// GoString keeps it out of %#v.
func (s signer) GoString() string { return s.String() }

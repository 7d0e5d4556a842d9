package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// device is an authenticator as a phone or a security key is one, with the browser
// before it: it keeps one passkey (ES256, no attestation) and signs what it is asked.
type device struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	origin  string
	party   string
	counter uint32
	step    uint32 // 0: a synced passkey, which counts nothing
	flags   byte
}

const (
	flagPresent  = 0x01
	flagVerified = 0x04
	flagSynced   = 0x08 | 0x10
	flagAttested = 0x40
)

func newDevice(t *testing.T, step uint32) *device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	d := &device{t: t, key: key, id: id, origin: "https://entente.example", party: "entente.example", step: step, flags: flagPresent | flagVerified}
	if step == 0 {
		d.flags |= flagSynced
	}
	return d
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *device) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *device) cbor(v any) []byte {
	b, err := webauthncbor.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

func (d *device) authData(flags byte) []byte {
	hash := sha256.Sum256([]byte(d.party))
	data := append(hash[:], flags)
	return binary.BigEndian.AppendUint32(data, d.counter)
}

func (d *device) clientData(kind, challenge string) []byte {
	return d.json(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
}

// create answers navigator.credentials.create.
func (d *device) create(c Ceremony) []byte {
	d.t.Helper()
	var options struct {
		PublicKey struct {
			Challenge              string
			User                   struct{ ID string }
			AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		}
	}
	if err := json.Unmarshal(c.Options, &options); err != nil {
		d.t.Fatal(err)
	}
	if s := options.PublicKey.AuthenticatorSelection; s.ResidentKey != "required" || s.UserVerification != "required" {
		d.t.Fatalf("options %s", c.Options)
	}
	handle, err := base64.RawURLEncoding.DecodeString(options.PublicKey.User.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.handle = handle
	public, err := d.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		d.t.Fatal(err)
	}
	data := d.authData(d.flags | flagAttested)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(data, d.id...)
	data = append(data, d.cbor(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]})...)
	return d.json(map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key",
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}},
		"response": map[string]any{
			"clientDataJSON":    b64(d.clientData("webauthn.create", options.PublicKey.Challenge)),
			"attestationObject": b64(d.cbor(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})),
			"transports":        []string{"internal"},
		},
	})
}

// get answers navigator.credentials.get.
func (d *device) get(c Ceremony) []byte {
	d.t.Helper()
	var options struct {
		PublicKey struct{ Challenge, UserVerification string }
	}
	if err := json.Unmarshal(c.Options, &options); err != nil {
		d.t.Fatal(err)
	}
	d.counter += d.step
	data := d.authData(d.flags)
	client := d.clientData("webauthn.get", options.PublicKey.Challenge)
	clientHash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.json(map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{
			"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.handle),
		},
	})
}

package identity

import (
	"encoding/binary"
	"time"

	entente "github.com/entente-project/entente"
)

// KeptFor is how long what [Service.Keep] sealed can be opened: as long as a proof of
// identity by a provider may take.
const KeptFor = 10 * time.Minute

// Keep seals what a person typed, for their own browser to hold while they prove who
// they are. Only [Service.Kept] for the same person opens it, and only for a while.
func (s *Service) Keep(p entente.PersonID, typed []byte) ([]byte, error) {
	if s.c.Key.Check() == "" {
		return nil, errNoKey
	}
	text := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(KeptFor).Unix()))
	return s.c.Key.Seal(append(text, typed...), "kept "+string(p))
}

// Kept opens what [Service.Keep] sealed for the person.
func (s *Service) Kept(p entente.PersonID, sealed []byte) ([]byte, error) {
	text, err := s.c.Key.Open(sealed, "kept "+string(p))
	if err != nil || len(text) < 8 || s.now().Unix() >= int64(binary.BigEndian.Uint64(text)) {
		return nil, entente.NotFound("nothing is kept for you here any more")
	}
	return text[8:], nil
}

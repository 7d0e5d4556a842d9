package api

import (
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// Rooms are the services that the operations ask.
type Rooms struct {
	Identity *identity.Service
	Chain    *chain.Service
}

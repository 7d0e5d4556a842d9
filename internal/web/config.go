package web

import (
	"log/slog"
	"net/http"

	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/lang"
)

// Config is what the pages are wired to. All rooms are needed.
type Config struct {
	// DB is read for the journal only; everything else comes from the rooms.
	DB        *db.DB
	Identity  *identity.Service
	Chain     *chain.Service
	Inventory *inventory.Service
	Advisory  *advisory.Service
	Partner   *partner.Service
	// Languages are those in which pages can be read; nil means the shipped ones.
	Languages *lang.Languages
	// Secure says that browsers reach the node over TLS, directly or through a proxy.
	Secure bool
	// Address tells from where a request comes; nil takes the connection's other end.
	// Behind a proxy, the command gives a function that knows which proxy to believe.
	Address func(*http.Request) string
	// Log gets the faults of the program; nil means slog.Default().
	Log *slog.Logger
}

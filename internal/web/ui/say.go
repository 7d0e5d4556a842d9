package ui

import (
	"context"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/lang"
)

// T says a text to the reader of the page.
func T(ctx context.Context, text entente.Text, args ...any) string {
	return lang.Of(ctx).T(text, args...)
}

// N says a text that depends on a number to the reader of the page.
func N(ctx context.Context, n int, one, other entente.Text, args ...any) string {
	return lang.Of(ctx).N(n, one, other, args...)
}

// Say says a message to the reader of the page.
func Say(ctx context.Context, m entente.Message) string { return lang.Of(ctx).Say(m) }

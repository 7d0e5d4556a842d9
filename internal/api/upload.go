package api

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
)

// Upload is the body of an operation that takes a file: read as it comes, never
// held in memory as a whole.
type Upload struct {
	file *bounded
}

// Resolve takes the body from the request, as huma would do for a field.
func (u *Upload) Resolve(c huma.Context) []error {
	u.file = &bounded{ReadCloser: http.NoBody}
	switch body := c.BodyReader().(type) {
	case *bounded:
		u.file = body
	case *hashedBody:
		// The bound stands below the hash; what is read must pass both.
		if inner, ok := body.ReadCloser.(*bounded); ok {
			u.file = &bounded{ReadCloser: body, limit: inner.limit, below: inner}
		}
	}
	return nil
}

// verdict puts the fault of the transfer in the place of what a reader made of it:
// a file that was cut off by a bound or by the network is not a wrong file.
func (u *Upload) verdict(err error) error {
	if err == nil {
		return nil
	}
	b := u.file
	if b.below != nil {
		b = b.below
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(b.failed, &long):
		return entente.TooLarge("the body is larger than %d MiB, the limit for this operation; nothing was changed", b.limit>>20)
	case b.failed != nil:
		return newProblem(problemMalformed, "the body broke off after "+size(b.read)+"; nothing was changed: send it again")
	}
	return err
}

// bounded is a body that remembers why it could not be read to its end.
type bounded struct {
	io.ReadCloser
	limit  int64
	read   int64
	failed error
	below  *bounded
}

// Read reads, and remembers.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 10<<10:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

package api

import (
	"encoding/base64"
	"hash/fnv"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
)

// The rows of a page of a list.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// Paging is the part of a request that every list shares.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items to answer at most."`
	Cursor string `query:"cursor" maxLength:"512" doc:"Where to go on: the next of the answer before, unchanged."`
}

// List is an answer with one page of a list.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
	Total *int   `json:"total,omitempty" doc:"How many items there are in all, where that is cheap to know."`
}

// position is where a page begins: behind a key, or after a number of items. A list
// uses one of the two.
type position struct {
	after  string
	offset int
}

// place reads the cursor of a list. What the cursor was made for (the list and its
// filters) is part of it, so that it cannot be carried to another list, where its
// position would mean nothing.
func (p Paging) place(list ...string) (position, int, error) {
	limit := p.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	if p.Cursor == "" {
		return position{}, limit, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return position{}, 0, badCursor()
	}
	parts := strings.SplitN(string(raw), "\x00", 3)
	if len(parts) != 3 || parts[0] != fingerprint(list) {
		return position{}, 0, badCursor()
	}
	offset, err := strconv.Atoi(parts[1])
	if err != nil || offset < 0 {
		return position{}, 0, badCursor()
	}
	return position{after: parts[2], offset: offset}, limit, nil
}

func badCursor() error {
	e := entente.Invalid("the cursor does not belong to this list with these filters; take next from the answer before, or leave it away to begin anew")
	e.Fields = []entente.FieldError{{Field: "query.cursor", Message: entente.Say("not a cursor of this list")}}
	return e
}

func cursor(p position, list ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(fingerprint(list) + "\x00" + strconv.Itoa(p.offset) + "\x00" + p.after))
}

func fingerprint(list []string) string {
	h := fnv.New32a()
	for _, part := range list {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// window answers one page of a list that is in memory as a whole.
func window[T any](all []T, p Paging, list ...string) (List[T], error) {
	pos, limit, err := p.place(list...)
	if err != nil {
		return List[T]{}, err
	}
	total := len(all)
	from := min(pos.offset, total)
	to := min(from+limit, total)
	out := List[T]{Items: append([]T{}, all[from:to]...), Total: &total}
	if to < total {
		out.Next = cursor(position{offset: to}, list...)
	}
	return out, nil
}

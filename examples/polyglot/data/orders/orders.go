// Package orders adds up lists of orders.
package orders

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	// columns of a line: product, pieces, price of a piece.
	columns = 3
	// piecesMax and centsMax keep every sum of a list that fits into memory within 64 bits.
	piecesMax = 1_000_000
	centsMax  = 100_000_000
)

// Product is what one product brought in.
type Product struct {
	Name   string
	Pieces uint64
	// In cents.
	Revenue uint64
}

// Summary is what all of them brought in.
type Summary struct {
	// The largest revenue first.
	Products []Product
	Pieces   uint64
	// In cents.
	Revenue uint64
}

// Summarise adds up orders: a line each, as in `tea,3,4.50`.
func Summarise(text string) (Summary, error) {
	lines := csv.NewReader(strings.NewReader(text))
	lines.FieldsPerRecord = columns
	lines.TrimLeadingSpace = true
	lines.ReuseRecord = true
	found := map[string]*Product{}
	var summary Summary
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			summary.Products = ranked(found)
			return summary, nil
		}
		if err != nil {
			return Summary{}, err
		}
		line, _ := lines.FieldPos(0)
		pieces, cents, err := amounts(record[1], record[2])
		if err != nil {
			return Summary{}, fmt.Errorf("line %d: %w", line, err)
		}
		product, known := found[record[0]]
		if !known {
			name := strings.Clone(record[0])
			product = &Product{Name: name}
			found[name] = product
		}
		product.Pieces += pieces
		product.Revenue += pieces * cents
		summary.Pieces += pieces
		summary.Revenue += pieces * cents
	}
}

func amounts(pieces, price string) (uint64, uint64, error) {
	count, err := strconv.ParseUint(pieces, 10, 64)
	if err != nil || count > piecesMax {
		return 0, 0, fmt.Errorf("%q is no number of pieces up to %d", pieces, piecesMax)
	}
	whole, decimals, _ := strings.Cut(price, ".")
	cents, err := strconv.ParseUint(whole+(decimals + "00")[:2], 10, 64)
	if err != nil || whole == "" || len(decimals) > 2 || cents > centsMax {
		return 0, 0, fmt.Errorf("%q is no price, such as 4.50", price)
	}
	return count, cents, nil
}

// ranked lists the products, the largest revenue first, by name where it is the same.
func ranked(found map[string]*Product) []Product {
	products := make([]Product, 0, len(found))
	for _, product := range found {
		products = append(products, *product)
	}
	slices.SortFunc(products, func(one, other Product) int {
		return cmp.Or(cmp.Compare(other.Revenue, one.Revenue), cmp.Compare(one.Name, other.Name))
	})
	return products
}

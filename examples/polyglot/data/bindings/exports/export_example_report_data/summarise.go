// Package export_example_report_data is where the bindings look for what the component exports.
package export_example_report_data

import (
	wit "go.bytecodealliance.org/pkg/wit/types"

	"example.com/report/bindings/imports/example_report_data"
	"example.com/report/orders"
)

// Summarise is called by the page.
func Summarise(text string) wit.Result[example_report_data.Summary, string] {
	summary, err := orders.Summarise(text)
	if err != nil {
		return wit.Err[example_report_data.Summary](err.Error())
	}
	products := make([]example_report_data.Product, 0, len(summary.Products))
	for _, product := range summary.Products {
		products = append(products, example_report_data.Product(product))
	}
	return wit.Ok[example_report_data.Summary, string](example_report_data.Summary{
		Products: products,
		Pieces:   summary.Pieces,
		Revenue:  summary.Revenue,
	})
}

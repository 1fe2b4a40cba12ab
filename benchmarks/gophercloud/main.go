// SPDX-License-Identifier: Apache-2.0

// Lists images with gophercloud, and prints their number and the wall and CPU
// time of the list as JSON, without authentication. In the mode "IDs" it
// prints the ID of each image. The second argument is the limit. In the mode
// "delete" it is the ID of the image to delete, and in the mode "choice" a
// pattern: all images whose names match are deleted.
package main

import (
	"fmt"
	"log"
	"os"
	"path"
	"strconv"
	"syscall"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/images"
	"github.com/gophercloud/gophercloud/pagination"
)

func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	nanoseconds := used.Utime.Nano() + used.Stime.Nano()
	return float64(nanoseconds) / 1e9
}

func count(page pagination.Page) (int, error) {
	found, err := images.ExtractImages(page)
	return len(found), err
}

func printIDs(pager pagination.Pager) error {
	return pager.EachPage(func(page pagination.Page) (bool, error) {
		found, err := images.ExtractImages(page)
		for _, image := range found {
			fmt.Println(image.ID)
		}
		return true, err
	})
}

// deleteChosen goes on after a failure, and tells how many there were.
func deleteChosen(client *gophercloud.ServiceClient, pattern string) error {
	page, err := images.ListDetail(client, images.ListOpts{}).AllPages()
	if err != nil {
		return err
	}
	found, err := images.ExtractImages(page)
	if err != nil {
		return err
	}
	failed := 0
	for _, image := range found {
		if chosen, _ := path.Match(pattern, image.Name); !chosen {
			continue
		}
		if err := images.Delete(client, image.ID).ExtractErr(); err != nil {
			log.Print(err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d failed", failed)
	}
	return nil
}

func list(pager pagination.Pager, all bool) (int, error) {
	if all {
		page, err := pager.AllPages()
		if err != nil {
			return 0, err
		}
		return count(page)
	}
	total := 0
	err := pager.EachPage(func(page pagination.Page) (bool, error) {
		found, err := count(page)
		total += found
		return true, err
	})
	return total, err
}

func main() {
	way, limit := "EachPage", 1000
	if len(os.Args) > 1 {
		way = os.Args[1]
	}
	changing := way == "delete" || way == "choice"
	if len(os.Args) > 2 && !changing {
		var err error
		if limit, err = strconv.Atoi(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
	options := gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("OS_AUTH_URL"),
		Username:         os.Getenv("OS_USERNAME"),
		Password:         os.Getenv("OS_PASSWORD"),
		TenantName:       os.Getenv("OS_PROJECT_NAME"),
		DomainName:       os.Getenv("OS_USER_DOMAIN_NAME"),
	}
	provider, err := openstack.AuthenticatedClient(options)
	if err != nil {
		log.Fatal(err)
	}
	client, err := openstack.NewComputeV2(provider, gophercloud.EndpointOpts{
		Region: os.Getenv("OS_REGION_NAME"),
	})
	if err != nil {
		log.Fatal(err)
	}
	if changing {
		if way == "delete" {
			err = images.Delete(client, os.Args[2]).ExtractErr()
		} else {
			err = deleteChosen(client, os.Args[2])
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	pager := images.ListDetail(client, images.ListOpts{Limit: limit})
	if way == "IDs" {
		if err := printIDs(pager); err != nil {
			log.Fatal(err)
		}
		return
	}
	began, before := time.Now(), cpu()
	total, err := list(pager, way == "AllPages")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf(
		"{\"images\": %d, \"wall\": %.6f, \"cpu\": %.6f}\n",
		total, time.Since(began).Seconds(), cpu()-before,
	)
}

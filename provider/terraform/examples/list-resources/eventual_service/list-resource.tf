# In a file services.tfquery.hcl, for `terraform query` (Terraform 1.14 and later).
list "eventual_service" "all" {
  provider = eventual
}

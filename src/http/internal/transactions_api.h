// GET /api/v1/repositories/NAME/transactions/ID: what became of a transaction.
#pragma once

#include <string>
#include <string_view>

#include "http/internal/services.h"

namespace quorate::http {

// `id` as it is in the path.
Awaitable<void> ShowTransaction(const Services& services, Exchange& exchange, std::string name,
                                std::string_view id);

// As txn::TransactionManager::FindOutcome(). `id` is raw bytes.
Awaitable<Result<txn::TransactionOutcome>> FindOutcome(cluster::Repository& repository,
                                                       std::string id);

}  // namespace quorate::http

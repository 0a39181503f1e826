/**
 * @file cybertwin.h
 * Everything stable, in one include.
 */
#ifndef CYBERTWIN_H
#define CYBERTWIN_H
#include <cybertwin/agent.h>
#include <cybertwin/backend.h>
#include <cybertwin/bandit.h>
#include <cybertwin/base.h>
#include <cybertwin/campaign.h>
#include <cybertwin/cluster.h>
#include <cybertwin/csv.h>
#include <cybertwin/dual.h>
#include <cybertwin/env.h>
#include <cybertwin/exec.h>
#include <cybertwin/features.h>
#include <cybertwin/feed.h>
#include <cybertwin/footprint.h>
#include <cybertwin/forecast.h>
#include <cybertwin/governor.h>
#include <cybertwin/guard.h>
#include <cybertwin/lengths.h>
#include <cybertwin/limit.h>
#include <cybertwin/meter.h>
#include <cybertwin/online.h>
#include <cybertwin/ope.h>
#include <cybertwin/partition.h>
#include <cybertwin/phases.h>
#include <cybertwin/place.h>
#include <cybertwin/policy.h>
#include <cybertwin/pool.h>
#include <cybertwin/power.h>
#include <cybertwin/prior.h>
#include <cybertwin/queue.h>
#include <cybertwin/rack.h>
#include <cybertwin/rca.h>
#include <cybertwin/sensitivity.h>
#include <cybertwin/serving.h>
#include <cybertwin/shapes.h>
#include <cybertwin/spans.h>
#include <cybertwin/svm.h>
#include <cybertwin/twin.h>
#endif
